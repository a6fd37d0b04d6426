/** A room of several pages: its title, its tabs, and below them the page that is open. */
import { Link, type LinkProps, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { PageHeader } from "./PageHeader";
import classes from "./tabbed.module.css";

export interface RoomTab {
  to: NonNullable<LinkProps["to"]>;
  label: string;
}

export function TabbedRoom({ title, tabs }: { title: string; tabs: readonly RoomTab[] }) {
  const { pathname } = useLocation();
  const bar = useRef<HTMLElement>(null);
  // On a phone the open tab may stand out of sight.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another address opens another tab.
  useEffect(() => {
    const open = bar.current?.querySelector('[data-status="active"]');
    open?.scrollIntoView?.({ block: "nearest", inline: "center" });
  }, [pathname]);
  return (
    <div className={classes.page}>
      <PageHeader title={title} />
      <nav ref={bar} className={classes.tabs} aria-label={title}>
        {tabs.map(({ to, label }) => (
          <Link
            key={to}
            to={to}
            search={{}}
            className={classes.tab}
            activeOptions={{ includeSearch: false }}
          >
            {label}
          </Link>
        ))}
      </nav>
      <div className={classes.scroll}>
        <Outlet />
      </div>
    </div>
  );
}
