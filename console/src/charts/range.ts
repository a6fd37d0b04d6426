/** A page's range of time. It lives in the address: `?range=6h`, or `?from=…&to=…` in UTC. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const spans = {
  "15m": { label: "15 min", ms: 15 * MINUTE },
  "1h": { label: "1 h", ms: HOUR },
  "6h": { label: "6 h", ms: 6 * HOUR },
  "24h": { label: "24 h", ms: 24 * HOUR },
  "7d": { label: "7 d", ms: 7 * 24 * HOUR },
  all: { label: "All", ms: Number.POSITIVE_INFINITY },
} as const;

export type Span = keyof typeof spans;

/** What of an address says the range. A type, so that it passes where any search may. */
export type RangeSearch = { range?: Span; from?: string; to?: string };

export interface TimeRange {
  from: number;
  to: number;
  /** Whether its end is now, and moves. */
  live: boolean;
}

/** Reads what stands in the address; what it does not know, it leaves out. */
export function rangeRead(search: Record<string, unknown>): RangeSearch {
  const { range, from, to } = search;
  if (typeof from === "string" && typeof to === "string" && Date.parse(from) < Date.parse(to)) {
    return { from, to };
  }
  return typeof range === "string" && range in spans ? { range: range as Span } : {};
}

/** The range in milliseconds; `all` begins at `earliest`. */
export function rangeOf(
  { range, from, to }: RangeSearch,
  nowMs: number,
  { usual = "24h", earliest = 0 }: { usual?: Span; earliest?: number } = {},
): TimeRange {
  if (from && to) return { from: Date.parse(from), to: Date.parse(to), live: false };
  const start = nowMs - spans[range ?? usual].ms;
  return { from: Number.isFinite(start) ? start : earliest, to: nowMs, live: true };
}

/** The address of a range that was drawn with the pointer, in whole seconds. */
export function rangeWrite(fromMs: number, toMs: number): RangeSearch {
  const from = Math.floor(fromMs / 1_000) * 1_000;
  const to = Math.max(from + 1_000, Math.ceil(toMs / 1_000) * 1_000);
  return { from: iso(from), to: iso(to) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace(".000", "");
}
