/** What each may use, what it costs, and where sensitive work may run: the tabs of this room. */
import { TabbedRoom } from "../frame/TabbedRoom";
import { useGovernanceTabs } from "./tabs";

export default function GovernancePage() {
  return <TabbedRoom title="Governance" tabs={useGovernanceTabs()} />;
}
