/** Where the time went: a bar of phases by attempt, now as a line, what may still come hatched. */
import type { WorkloadDetail, WorkloadEvent } from "../../api/types";
import { useClock } from "../../time/clock";
import { durationInWords, exactTimes, momentInWords } from "../../time/words";
import { useTimeZone } from "../../time/zone";
import { isEnded } from "../state";
import { attemptsOf, limitOf, type Phase, totalsOf } from "./phases";
import classes from "./timeline.module.css";

/** Of what is past, so much of the future is shown at most: what matters has happened. */
const FUTURE_SHARE = 0.6;
/** With less future than this there is no room for its words, which stand below anyway. */
const NAMED_SHARE = 0.34;
const EDGE_SHARE = 0.06;

interface Props {
  workload: WorkloadDetail;
  events: readonly WorkloadEvent[];
}

export function PhaseBar({ workload, events }: Props) {
  const zone = useTimeZone();
  const live = !isEnded(workload.state);
  const nowMs = useClock((now) => (live ? now : 0));
  const attempts = attemptsOf(workload, events, nowMs);
  const first = attempts[0]?.phases[0];
  const last = attempts.at(-1)?.phases.at(-1);
  if (!first || !last) return null;

  const limit = limitOf(workload, attempts);
  const pastMs = Math.max(1, last.toMs - first.fromMs);
  const leftMs = limit ? Math.max(0, limit.atMs - nowMs) : 0;
  const futureMs = Math.min(leftMs, pastMs * FUTURE_SHARE);
  const futureShare = futureMs / (pastMs + futureMs);
  const said = (ms: number) => momentInWords(new Date(ms).toISOString(), zone, nowMs || Date.now());
  const totals = totalsOf(attempts, workload);
  const words = totals.map(
    ({ label, seconds, open }) =>
      `${label.toLowerCase()} ${durationInWords(seconds)}${open ? " so far" : ""}`,
  );
  return (
    <figure className={classes.phases} aria-label={`Phases: ${words.join(", ")}`}>
      <div className={classes.bar} aria-hidden>
        {attempts.map(({ number, phases }) => (
          <div
            key={number}
            className={classes.attempt}
            style={{ flexGrow: phases.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0) }}
          >
            {attempts.length > 1 && <span className={classes.attemptName}>Attempt {number}</span>}
            <div className={classes.attemptPhases}>
              {phases.map((phase) => (
                <span
                  key={`${phase.state} ${phase.fromMs}`}
                  className={classes.phase}
                  data-tone={phase.tone}
                  style={{ flexGrow: phase.toMs - phase.fromMs }}
                  title={phaseInWords(phase, zone)}
                />
              ))}
            </div>
          </div>
        ))}
        {live && <span className={classes.now} />}
        {limit && futureMs > 0 && (
          <span
            className={classes.future}
            data-cut={futureMs < leftMs || undefined}
            style={{ flexGrow: futureMs }}
            title={`${limit.why} ${exactTimes(new Date(limit.atMs).toISOString(), zone)}`}
          />
        )}
      </div>
      <div className={classes.ticks} aria-hidden>
        <span>{said(first.fromMs)}</span>
        {live ? (
          <>
            <span
              className={classes.tickNow}
              style={{ left: `${(1 - futureShare) * 100}%` }}
              data-end={futureShare < EDGE_SHARE || undefined}
            >
              now
            </span>
            {limit && futureShare > NAMED_SHARE && (
              <span>
                {limit.why} {said(limit.atMs)}
              </span>
            )}
          </>
        ) : (
          <span>{said(last.toMs)}</span>
        )}
      </div>
      <ul className={classes.totals}>
        {totals.map(({ label, tone, seconds, open }) => (
          <li key={label}>
            <span className={classes.swatch} data-tone={tone} />
            {label} <b>{durationInWords(seconds)}</b>
            {open && " so far"}
          </li>
        ))}
        {limit && (
          <li>
            <span className={classes.swatch} data-future />
            {limit.why === "deadline" ? "Deadline" : "Time limit"} in{" "}
            <b>{durationInWords(leftMs / 1000)}</b>
          </li>
        )}
      </ul>
    </figure>
  );
}

function phaseInWords({ label, fromMs, toMs }: Phase, zone: string): string {
  const at = (ms: number) => exactTimes(new Date(ms).toISOString(), zone).split("\n")[0];
  return `${label} ${durationInWords((toMs - fromMs) / 1000)}\nfrom ${at(fromMs)}\nto ${at(toMs)}`;
}
