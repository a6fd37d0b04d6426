/** The room of people and access: its tabs, and below them the page that is open. */
import { Link, Navigate, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { PageHeader } from "../frame/PageHeader";
import classes from "./access.module.css";
import { useTabs } from "./tabs";

export default function AccessPage() {
  const tabs = useTabs();
  const { pathname } = useLocation();
  const bar = useRef<HTMLElement>(null);
  // On a phone the open tab may stand out of sight.
  useEffect(() => {
    const open = bar.current?.querySelector(`a[href^="${pathname.split("/", 3).join("/")}"]`);
    open?.scrollIntoView?.({ block: "nearest", inline: "center" });
  }, [pathname]);
  const [first] = tabs;
  if (first && /^\/access\/?$/.test(pathname)) return <Navigate to={first.to} replace />;
  return (
    <div className={classes.page}>
      <PageHeader title="People and access" />
      <nav ref={bar} className={classes.tabs} aria-label="People and access">
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
