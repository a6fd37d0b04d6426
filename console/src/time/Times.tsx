/** Times on the screen: relative in sight, exact on hover, in one's own zone and in UTC. */
import { useClock } from "./clock";
import {
  durationInWords,
  exactTimes,
  momentInWords,
  relativeInWords,
  secondsBetween,
} from "./words";
import { useTimeZone } from "./zone";

/** "4 min ago" */
export function RelativeTime({ at }: { at: string }) {
  const words = useClock((now) => relativeInWords(at, now));
  const zone = useTimeZone();
  return (
    <time dateTime={at} title={exactTimes(at, zone)}>
      {words}
    </time>
  );
}

/** From `start` to `end`, or until now while there is no end. */
export function Duration({ start, end }: { start: string; end?: string | null | undefined }) {
  const zone = useTimeZone();
  const words = useClock((now) =>
    durationInWords(secondsBetween(start, end ? Date.parse(end) : now)),
  );
  return (
    <span
      title={
        end
          ? `from ${exactTimes(start, zone)}\nto ${exactTimes(end, zone)}`
          : `since ${exactTimes(start, zone)}`
      }
    >
      {words}
    </span>
  );
}

/** "14:20" today, "28 Feb 14:20" otherwise; for times that one plans by. */
export function Moment({ at }: { at: string }) {
  const zone = useTimeZone();
  const words = useClock((now) => momentInWords(at, zone, now));
  return (
    <time dateTime={at} title={exactTimes(at, zone)}>
      {words}
    </time>
  );
}
