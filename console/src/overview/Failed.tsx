/** What failed lately, and why. */
import type { Overview } from "../api/types";
import { RelativeTime } from "../time/Times";
import { StateIcon } from "../workloads/StateIcon";
import { WorkloadLink, WorkloadsLink } from "./links";
import classes from "./overview.module.css";
import { Blanks, Nothing, Panel } from "./Panel";

export function Failed({ overview }: { overview: Overview | undefined }) {
  const failed = overview?.failed;
  const count = overview?.failed_last_day ?? 0;
  return (
    <Panel
      area="failed"
      title="Failed lately"
      aside={
        <WorkloadsLink to={{ state: ["failed"], ended_since: "24h" }}>
          {count > 0 ? `${count.toLocaleString("en")} in 24 h` : "All failures"}
        </WorkloadsLink>
      }
    >
      {!failed && <Blanks rows={5} label="failures" />}
      {failed?.length === 0 && <Nothing>Nothing failed.</Nothing>}
      {failed && failed.length > 0 && (
        <ul className={classes.rows}>
          {failed.map(({ id, name, message, cause, project, ended_at, submitted_at }) => (
            <li key={id} className={classes.row} title={`${project}: ${message || cause || ""}`}>
              <span className={classes.rowState} style={{ color: "var(--state-failed)" }}>
                <StateIcon state="failed" />
              </span>
              <WorkloadLink id={id}>{name}</WorkloadLink>
              <span className={classes.rowWords}>{message || project}</span>
              <span className={classes.rowEnd}>
                <RelativeTime at={ended_at ?? submitted_at} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
