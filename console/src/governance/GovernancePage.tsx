/** What each may use, what it costs, and where sensitive work may run: the tabs of this room. */
import { Navigate, useLocation } from "@tanstack/react-router";
import { TabbedRoom } from "../frame/TabbedRoom";
import { useGovernanceTabs } from "./tabs";

export default function GovernancePage() {
  const tabs = useGovernanceTabs();
  const { pathname } = useLocation();
  const [first] = tabs;
  // The rail opens usage, which not everyone may see.
  if (pathname === "/usage" && first && first.to !== "/usage") {
    return <Navigate to={first.to} replace />;
  }
  return <TabbedRoom title="Governance" tabs={tabs} />;
}
