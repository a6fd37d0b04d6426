/** Times and durations in words. All take milliseconds or ISO 8601 times. */
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Less than this from now is now. */
const NOW_SECONDS = 2;

/** under 1 s, 8 s, 4 min, 3 h 20 min, 2 d 4 h: the two largest units, the second where it still matters. */
export function durationInWords(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 1) return "under 1 s";
  if (whole < MINUTE) return `${whole} s`;
  if (whole < 10 * MINUTE) return pair(whole, MINUTE, "min", 1, "s");
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`;
  if (whole < DAY) return pair(whole, HOUR, "h", MINUTE, "min");
  return pair(whole, DAY, "d", HOUR, "h");
}

function pair(seconds: number, large: number, largeName: string, small: number, smallName: string) {
  const rest = Math.floor((seconds % large) / small);
  const head = `${Math.floor(seconds / large)} ${largeName}`;
  return rest === 0 ? head : `${head} ${rest} ${smallName}`;
}

/**
 * "now", "4 min ago", "in 2 h". One unit, so that columns stay narrow; cut, not rounded, as a
 * duration is, so that the two never disagree in a row.
 */
export function relativeInWords(iso: string, nowMs: number): string {
  const seconds = Math.trunc((nowMs - Date.parse(iso)) / 1000);
  const distance = Math.abs(seconds);
  if (distance < NOW_SECONDS) return "now";
  const words =
    distance < MINUTE
      ? `${distance} s`
      : distance < HOUR
        ? `${Math.floor(distance / MINUTE)} min`
        : distance < DAY
          ? `${Math.floor(distance / HOUR)} h`
          : `${Math.floor(distance / DAY)} d`;
  return seconds < 0 ? `in ${words}` : `${words} ago`;
}

/** 2026-03-01 09:30:12 UTC */
export function exactUtc(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

export function secondsBetween(startIso: string, endMs: number): number {
  return (endMs - Date.parse(startIso)) / 1000;
}
