/** Says over the page that it is as of a time, once the server was not heard for long. */
import { feed } from "../stream/feed";
import { useStreamStatus } from "../stream/status";
import { clockInWords, exactTimes } from "../time/words";
import { useTimeZone } from "../time/zone";
import classes from "./frame.module.css";
import { WarningIcon } from "./icons";

export function Disconnected() {
  const { phase, sinceMs } = useStreamStatus();
  return phase === "disconnected" ? <Banner sinceMs={sinceMs} /> : null;
}

function Banner({ sinceMs }: { sinceMs: number }) {
  const zone = useTimeZone();
  const since = new Date(sinceMs).toISOString();
  return (
    <div className={classes.banner}>
      <WarningIcon />
      <p>
        <span role="status">
          No word from the server. What you see is as of{" "}
          <time dateTime={since} title={exactTimes(since, zone)}>
            {clockInWords(since, zone)}
          </time>
          .
        </span>{" "}
        <span className={classes.bannerNote}>It is tried again until it answers.</span>
      </p>
      <button type="button" className={classes.bannerAction} onClick={feed.retry}>
        Try now
      </button>
    </div>
  );
}
