/** Groups entries by the day on which they were written, in one's own time zone. Pure. */
import type { AuditEntry } from "../api/types";

export interface Day {
  /** 2026-11-22 */
  key: string;
  entries: AuditEntry[];
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** 2026-11-22, the day there. */
export function dayKey(atMs: number, timeZone: string): string {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-CA", {
      timeZone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
    });
    formats.set(timeZone, format);
  }
  return format.format(atMs);
}

export function daysOf(entries: readonly AuditEntry[], timeZone: string): Day[] {
  const days: Day[] = [];
  for (const entry of entries) {
    const key = dayKey(Date.parse(entry.at), timeZone);
    const last = days.at(-1);
    if (last?.key === key) last.entries.push(entry);
    else days.push({ key, entries: [entry] });
  }
  return days;
}

/** Today, Yesterday, or Sunday 1 March 2026 */
export function dayInWords(key: string, today: string): string {
  if (key === today) return "Today";
  const at = Date.parse(`${key}T00:00:00Z`);
  if (Date.parse(`${today}T00:00:00Z`) - at === 86_400_000) return "Yesterday";
  return new Intl.DateTimeFormat("en-GB", {
    timeZone: "UTC",
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
  })
    .format(at)
    .replace(",", "");
}
