/** Times on the screen: relative in sight, exact in UTC on hover. */
import { useClock } from "./clock";
import { durationInWords, exactUtc, relativeInWords, secondsBetween } from "./words";

export function RelativeTime({ at }: { at: string }) {
  const words = useClock((now) => relativeInWords(at, now));
  return (
    <time dateTime={at} title={exactUtc(at)}>
      {words}
    </time>
  );
}

/** From `start` to `end`, or until now while there is no end. */
export function Duration({ start, end }: { start: string; end?: string | null | undefined }) {
  const words = useClock((now) =>
    durationInWords(secondsBetween(start, end ? Date.parse(end) : now)),
  );
  return (
    <span title={end ? `${exactUtc(start)} to ${exactUtc(end)}` : `since ${exactUtc(start)}`}>
      {words}
    </span>
  );
}
