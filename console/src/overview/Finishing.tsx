/** What ends next, at the latest when its time is up. */
import type { Overview } from "../api/types";
import { Moment, RelativeTime } from "../time/Times";
import { StateIcon } from "../workloads/StateIcon";
import { shownState } from "../workloads/state";
import { WorkloadLink, WorkloadsLink } from "./links";
import classes from "./overview.module.css";
import { Blanks, Nothing, Panel } from "./Panel";

export function Finishing({ finishing }: { finishing: Overview["finishing"] | undefined }) {
  return (
    <Panel
      area="finishing"
      title="Finishes soon"
      aside={<WorkloadsLink to={{ state: ["running"] }}>All that runs</WorkloadsLink>}
    >
      {!finishing && <Blanks rows={5} label="what finishes soon" />}
      {finishing?.length === 0 && (
        <Nothing>Nothing that runs has a time limit or a deadline.</Nothing>
      )}
      {finishing && finishing.length > 0 && (
        <ul className={classes.rows}>
          {finishing.map(({ workload, by }) => (
            <li key={workload.id} className={classes.row} title={workload.resources.text}>
              <span
                className={classes.rowState}
                style={{ color: `var(--state-${shownState(workload.state).tone})` }}
              >
                <StateIcon state={workload.state} />
              </span>
              <WorkloadLink id={workload.id}>{workload.name}</WorkloadLink>
              <span className={classes.rowWords}>
                <RelativeTime at={by} /> · {workload.resources.text}
              </span>
              <span className={classes.rowEnd}>
                by <Moment at={by} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
