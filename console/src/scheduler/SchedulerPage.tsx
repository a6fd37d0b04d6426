/** The scheduler at work: its cycles and how long they took, what they decided, who gave way, how
 * good its forecasts were, and the cycles that can be decided again. For who may see everyone's work. */

import { PageHeader } from "../frame/PageHeader";
import { NoPermission } from "../frame/PageState";
import { useMay } from "../session/queries";
import { Calibrated } from "./Calibrated";
import { GaveWayTable } from "./GaveWayTable";
import { OverTime } from "./OverTime";
import { useSchedulerLive } from "./queries";
import { Recorded } from "./Recorded";
import classes from "./scheduler.module.css";

export default function SchedulerPage() {
  const may = useMay();
  return (
    <div className={classes.page}>
      <PageHeader title="Scheduler" />
      {may("scheduler:read") ? (
        <Rooms />
      ) : (
        <NoPermission
          what="the scheduler's cycles"
          detail="Administrators, operators and auditors see this page."
        />
      )}
    </div>
  );
}

function Rooms() {
  useSchedulerLive();
  return (
    <>
      <OverTime />
      <GaveWayTable />
      <Calibrated />
      <Recorded />
    </>
  );
}
