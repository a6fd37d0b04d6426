/** The queue in figures: how long people wait, and for what. */
import type { Overview } from "../api/types";
import { counted, milliInWords } from "../quantity/words";
import { durationInWords } from "../time/words";
import { reasonInWords } from "../workloads/reasons";
import { Figure, Ticking } from "./Figure";
import { QueueLink, WorkloadsLink } from "./links";
import classes from "./overview.module.css";
import { Blanks, Nothing, Panel } from "./Panel";

type Summary = Overview["queue"];

const REASONS = 3;
const HOUR = 3_600;
const DAY = 24 * HOUR;

export function Waiting({ queue }: { queue: Summary | undefined }) {
  const reasons = queue?.reasons ?? [];
  const more = reasons.slice(REASONS).reduce((sum, { count }) => sum + count, 0);
  const most = reasons[0]?.count ?? 1;
  return (
    <Panel
      area="queue"
      title="Queue"
      aside={
        <span className={classes.asides}>
          {queue && queue.gpu_milli_wanted > 0 && <span>for {gpusInWords(queue)}</span>}
          <QueueLink>Who is next</QueueLink>
        </span>
      }
    >
      <dl className={classes.figures}>
        <Figure
          label="Waiting"
          value={queue?.waiting.toLocaleString("en")}
          link={(number) => <QueueLink plain>{number}</QueueLink>}
        />
        <Figure
          label="Median wait"
          value={queue && waitInWords(queue.wait_seconds_median)}
          exact={queue && exactWait(queue.wait_seconds_median)}
          link={(number) => <QueueLink plain>{number}</QueueLink>}
        />
        <Figure
          label="Longest"
          value={queue && waitInWords(queue.wait_seconds_max)}
          exact={queue && exactWait(queue.wait_seconds_max)}
          link={(number) => (
            <WorkloadsLink plain to={{ state: ["queued"], order: "up" }}>
              {number}
            </WorkloadsLink>
          )}
        />
      </dl>
      {!queue && <Blanks rows={4} label="the queue" />}
      {queue?.waiting === 0 && (
        <Nothing>Nothing waits. What is submitted now is placed at once.</Nothing>
      )}
      {queue && queue.waiting > 0 && (
        <ul className={classes.reasons}>
          {reasons.slice(0, REASONS).map(({ reason, count, example }) => (
            <li key={reason} className={classes.reason}>
              <WorkloadsLink plain to={{ state: ["queued"], reason: [reason] }}>
                <span className={classes.reasonName}>{reasonInWords(reason)}</span>
                <span className={classes.reasonBar} aria-hidden>
                  <span style={{ width: `${(count / most) * 100}%` }} />
                </span>
                <span className={classes.reasonCount}>
                  <Ticking text={count.toLocaleString("en")} />
                </span>
              </WorkloadsLink>
              <p className={classes.example} title={example}>
                {example}
              </p>
            </li>
          ))}
          {more > 0 && (
            <li className={classes.more}>
              <WorkloadsLink to={{ state: ["queued"] }}>
                {counted(more, "more", "more")} for{" "}
                {counted(reasons.length - REASONS, "other reason")}
              </WorkloadsLink>
            </li>
          )}
        </ul>
      )}
    </Panel>
  );
}

function gpusInWords({ gpu_milli_wanted: wanted }: Summary): string {
  return `${milliInWords(wanted)} ${wanted === 1000 ? "GPU" : "GPUs"}`;
}

/** One unit, so that three figures have room beside each other; the pointer is told the rest. */
function waitInWords(seconds: number | null | undefined): string {
  if (seconds == null) return "–";
  if (seconds < HOUR) return durationInWords(seconds);
  return seconds < 2 * DAY ? `${tenths(seconds / HOUR)} h` : `${tenths(seconds / DAY)} d`;
}

function tenths(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });
}

function exactWait(seconds: number | null | undefined): string | undefined {
  return seconds == null
    ? undefined
    : `${durationInWords(seconds)} up to when the figures were made`;
}
