/** How far a workload's replicas are: a bar by state and the figure that matters now. */
import type { ReplicaCounts, WorkloadState } from "../api/types";
import { isEnded, shownState } from "./state";
import classes from "./state.module.css";

const order = [
  "succeeded",
  "failed",
  "cancelled",
  "running",
  "stopping",
  "starting",
  "scheduled",
] as const;

interface Props {
  counts: ReplicaCounts;
  state: WorkloadState;
}

export function ReplicaProgress({ counts, state }: Props) {
  const parts = order.filter((each) => counts[each] > 0);
  const inWords = [...parts, ...(counts.waiting > 0 ? (["waiting"] as const) : [])]
    .map((each) => `${counts[each]} ${shownState(each).label.toLowerCase()}`)
    .join(", ");
  return (
    <span className={classes.replicas} title={`${counts.total} in all: ${inWords}`}>
      <span className={classes.bar} aria-hidden="true">
        {parts.map((each) => (
          <span
            key={each}
            className={classes.part}
            data-tone={shownState(each).tone}
            style={{ flexGrow: counts[each] }}
          />
        ))}
      </span>
      {replicaFigure(counts, state)}
    </span>
  );
}

/** Of a gang, how many run; of what ends by parts, how many are done. */
export function replicaFigure(counts: ReplicaCounts, state: WorkloadState): string {
  const done = counts.succeeded + counts.failed + counts.cancelled;
  const figure = isEnded(state) ? counts.succeeded : done > 0 ? done : counts.running;
  return `${figure}/${counts.total}`;
}
