/** The quiet dot that says whether what is on the screen is what is so now. */
import { useClock } from "../time/clock";
import { durationInWords } from "../time/words";
import classes from "./LiveDot.module.css";
import { useStreamStatus } from "./status";
import type { Phase } from "./stream";

const words: Record<Phase, string> = {
  connecting: "Connecting",
  live: "Live",
  delayed: "Delayed",
  disconnected: "Disconnected",
};

/** Less is over before it is read. */
const SAID_MS = 2_000;

export function LiveDot() {
  const { phase, sinceMs } = useStreamStatus();
  const ago = useClock((now) =>
    (phase === "delayed" || phase === "disconnected") && now - sinceMs >= SAID_MS
      ? `for ${durationInWords((now - sinceMs) / 1000)}`
      : "",
  );
  return (
    <span className={classes.root} data-phase={phase} title={explained[phase]}>
      <span className={classes.dot} aria-hidden />
      {/* The seconds tick; only the phase itself is worth announcing. */}
      <span role="status">{words[phase]}</span>
      {ago && <span>{ago}</span>}
    </span>
  );
}

const explained: Record<Phase, string> = {
  connecting: "Opening the live feed.",
  live: "Changes show here within a second.",
  delayed: "The live feed was lost and is being opened again.",
  disconnected: "What you see may be out of date. The live feed is tried again until it answers.",
};
