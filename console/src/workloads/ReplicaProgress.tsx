/** How far a workload's replicas are: a bar by state and the figure that matters now. */
import type { ReplicaCounts, WorkloadState } from "../api/types";
import { doneOf } from "./progress";
import { StateIcon } from "./StateIcon";
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
  "waiting",
] as const;

type Part = (typeof order)[number];

interface Props {
  counts: ReplicaCounts;
  state: WorkloadState;
}

export function ReplicaProgress({ counts, state }: Props) {
  const words = partsOf(counts).map((part) => partInWords(counts, part));
  return (
    <span className={classes.replicas} title={`${counts.total} in all: ${words.join(", ")}`}>
      <span className={classes.figure}>{replicaFigure(counts, state)}</span>
      {/* Of a single one that does not run, a full bar would read as done. */}
      {(counts.total > 1 || state === "running") && <Bar counts={counts} />}
    </span>
  );
}

/** The same over the whole width, with a legend. */
export function ReplicaOverview({ counts }: { counts: ReplicaCounts }) {
  return (
    <div className={classes.overview}>
      <Bar counts={counts} />
      <ul className={classes.legend}>
        {partsOf(counts).map((part) => (
          <li key={part} data-tone={shownState(part).tone}>
            <StateIcon state={part} />
            {partInWords(counts, part)}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Bar({ counts }: { counts: ReplicaCounts }) {
  return (
    <span className={classes.bar} aria-hidden="true">
      {partsOf(counts).map((part) => (
        <span
          key={part}
          className={classes.part}
          data-tone={shownState(part).tone}
          style={{ flexGrow: counts[part] }}
        />
      ))}
    </span>
  );
}

function partsOf(counts: ReplicaCounts): Part[] {
  return order.filter((part) => counts[part] > 0);
}

function partInWords(counts: ReplicaCounts, part: Part): string {
  return `${counts[part].toLocaleString("en")} ${shownState(part).label.toLowerCase()}`;
}

/** Of a gang, how many run; of what ends by parts, how many are done. */
export function replicaFigure(counts: ReplicaCounts, state: WorkloadState): string {
  const done = doneOf(counts);
  const figure = isEnded(state) ? counts.succeeded : done > 0 ? done : counts.running;
  return `${figure}/${counts.total}`;
}
