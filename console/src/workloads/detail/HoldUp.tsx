/** What keeps it from running though it has its place: since when, with whom, and what helps. */
import type { HoldUp as HeldUp, WorkloadDetail } from "../../api/types";
import { Duration } from "../../time/Times";
import { capitalised } from "../state";
import classes from "./detail.module.css";
import { Remedy } from "./Remedy";
import { sentence } from "./sentence";

export function HoldUp({ workload, holdUp }: { workload: WorkloadDetail; holdUp: HeldUp }) {
  const { cause, message, remedy, since, rank, replicas } = holdUp;
  const word = workload.array ? "task" : "replica";
  // Of what starts as a whole, the sentence above says this already.
  const said = sentence(workload).includes(message);
  return (
    <section
      className={classes.waiting}
      data-tone={cause ? undefined : "moving"}
      aria-label="What keeps it from running"
    >
      {!said && <p className={classes.reason}>{message}</p>}
      {remedy && <Remedy text={remedy} />}
      <dl className={classes.evidence}>
        {cause && (
          <>
            <dt>Cause</dt>
            <dd>{capitalised(cause.replaceAll("_", " "))}</dd>
          </>
        )}
        <dt>For</dt>
        <dd>
          <Duration start={since} />
        </dd>
        {workload.replicas.total > 1 && (
          <>
            <dt>So with</dt>
            <dd>
              {replicas === 1
                ? `${word} ${rank}`
                : `${replicas.toLocaleString("en")} ${word}s, the first is ${rank}`}
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}
