/** The first page: is mine running, why not, and what the cluster is doing. */
import { FirstRun } from "../frame/FirstRun";
import { PageHeader } from "../frame/PageHeader";
import { PageState } from "../frame/PageState";
import { useProject } from "../projects/scope";
import { useStreamStatus } from "../stream/status";
import { Moment } from "../time/Times";
import { CapacityPanel } from "./CapacityPanel";
import { Failed } from "./Failed";
import { Finishing } from "./Finishing";
import { GpuHours } from "./GpuHours";
import { Gpus } from "./Gpus";
import { Mine } from "./Mine";
import classes from "./overview.module.css";
import { useOverview } from "./queries";
import { StateStrip } from "./StateStrip";
import { workloadsTotal } from "./sums";
import { Waiting } from "./Waiting";

export default function OverviewPage() {
  const query = useOverview();
  const project = useProject();
  const { data: overview, error } = query;
  const isNew = overview !== undefined && project === undefined && workloadsTotal(overview) === 0;
  return (
    <div className={classes.page}>
      <PageHeader title="Overview">
        {!isNew && !(error && !overview) && <StateStrip overview={overview} />}
      </PageHeader>
      {error && !overview ? (
        <PageState query={query} what="the overview" />
      ) : isNew ? (
        <div className={classes.first}>
          <FirstRun />
          <Gpus overview={overview} />
        </div>
      ) : (
        <>
          {overview && <Stale at={overview.at} />}
          <div className={classes.grid}>
            <Mine />
            <Gpus overview={overview} />
            <Waiting queue={overview?.queue} />
            <Failed overview={overview} />
            <Finishing finishing={overview?.finishing} />
            <CapacityPanel />
            <GpuHours overview={overview} />
          </div>
        </>
      )}
    </div>
  );
}

/** Once nothing arrives any more, the figures say of when they are. */
function Stale({ at }: { at: string }) {
  const { phase } = useStreamStatus();
  if (phase !== "disconnected") return null;
  return (
    <p className={classes.stale}>
      Figures of <Moment at={at} />
    </p>
  );
}
