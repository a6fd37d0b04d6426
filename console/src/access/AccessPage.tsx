/** The room of people and access; at its own address it opens the first page that one may use. */
import { Navigate, useLocation } from "@tanstack/react-router";
import { TabbedRoom } from "../frame/TabbedRoom";
import { useTabs } from "./tabs";

export default function AccessPage() {
  const tabs = useTabs();
  const { pathname } = useLocation();
  const [first] = tabs;
  if (first && /^\/access\/?$/.test(pathname)) return <Navigate to={first.to} replace />;
  return <TabbedRoom title="People and access" tabs={tabs} />;
}
