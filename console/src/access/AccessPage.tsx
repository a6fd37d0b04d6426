/** The room of people and access: its tabs, and below them the page that is open. */
import { Link, Navigate, Outlet, useLocation } from "@tanstack/react-router";
import { PageHeader } from "../frame/PageHeader";
import classes from "./access.module.css";
import { useTabs } from "./tabs";

export default function AccessPage() {
  const tabs = useTabs();
  const { pathname } = useLocation();
  const [first] = tabs;
  if (first && /^\/access\/?$/.test(pathname)) return <Navigate to={first.to} replace />;
  return (
    <div className={classes.page}>
      <PageHeader title="People and access" />
      <nav className={classes.tabs} aria-label="People and access">
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
