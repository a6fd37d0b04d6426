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

/** 2026-03-01 10:30:12 GMT+1 */
export function exactIn(iso: string, zone: string): string {
  const parts = partsOf(exactFormat(zone), iso);
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second} ${parts.timeZoneName}`;
}

/** The time in `zone`, and in UTC on a second line where that is another. */
export function exactTimes(iso: string, zone: string): string {
  return zone === "UTC" ? exactUtc(iso) : `${exactIn(iso, zone)}\n${exactUtc(iso)}`;
}

/** 14:20 on the day of `nowMs`, 28 Feb 14:20 otherwise, 28 Feb 2025 14:20 in another year. */
export function momentInWords(iso: string, zone: string, nowMs: number): string {
  const at = partsOf(dayFormat(zone), iso);
  const now = partsOf(dayFormat(zone), new Date(nowMs).toISOString());
  const time = `${at.hour}:${at.minute}`;
  if (at.year !== now.year) return `${at.day} ${at.month} ${at.year} ${time}`;
  if (at.month !== now.month || at.day !== now.day) return `${at.day} ${at.month} ${time}`;
  return time;
}

/** 14:20:05 */
export function clockInWords(iso: string, zone: string): string {
  const { hour, minute, second } = partsOf(exactFormat(zone), iso);
  return `${hour}:${minute}:${second}`;
}

type Parts = Record<Intl.DateTimeFormatPartTypes, string>;

function partsOf(format: Intl.DateTimeFormat, iso: string): Parts {
  const parts = format.formatToParts(Date.parse(iso));
  return Object.fromEntries(parts.map(({ type, value }) => [type, value])) as Parts;
}

/** Making a format is dear, and a list asks for thousands of times. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const held = formats.get(key) ?? new Intl.DateTimeFormat("en-GB", options);
  formats.set(key, held);
  return held;
}

function exactFormat(timeZone: string): Intl.DateTimeFormat {
  return formatOf(`exact ${timeZone}`, {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
  });
}

function dayFormat(timeZone: string): Intl.DateTimeFormat {
  return formatOf(`day ${timeZone}`, {
    timeZone,
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
}
