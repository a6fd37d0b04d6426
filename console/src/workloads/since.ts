/** Times in an address that move on with the clock: `today`, `24h`, `7d`, or a fixed ISO time. */
import { zoneOf, zoneSetting } from "../time/zone";

const spans: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const SPAN = /^(\d{1,4})([mhd])$/;
/** Spans are cut to this, so that asking twice in a minute asks the same. */
const GRAIN_MS = 60_000;

/** The text if it names a time. */
export function sinceRead(text: string | undefined): string | undefined {
  if (!text) return undefined;
  const known = text === "today" || SPAN.test(text) || !Number.isNaN(Date.parse(text));
  return known ? text : undefined;
}

export function sinceIso(text: string, nowMs = Date.now()): string {
  if (text === "today") return new Date(todayBegan(nowMs)).toISOString();
  const [, count, unit = ""] = SPAN.exec(text) ?? [];
  const span = spans[unit];
  if (!count || !span) return new Date(text).toISOString();
  const now = Math.floor(nowMs / GRAIN_MS) * GRAIN_MS;
  return new Date(now - Number(count) * span).toISOString();
}

/** since today's midnight, in the last 24 h, since 2026-03-01 09:00 */
export function sinceInWords(text: string): string {
  if (text === "today") return "today";
  if (SPAN.test(text)) return `in the last ${text.replace(/([mhd])$/, " $1").replace("m", "min")}`;
  return `since ${new Date(text).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function todayBegan(nowMs: number): number {
  const timeZone = zoneOf(zoneSetting.get());
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
    hourCycle: "h23",
  }).formatToParts(nowMs);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  const intoDay = ((of("hour") * 60 + of("minute")) * 60 + of("second")) * 1000;
  return Math.floor((nowMs - intoDay) / 1000) * 1000;
}
