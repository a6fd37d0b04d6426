/** What the columns of the chart are made of: the names with the most, and all others together. */
import type { UsageReport } from "../api/types";
import type { Column } from "../charts/StackedBars";
import { columnsOf, type Days, type Measure } from "./ask";
import { amountOf } from "./words";

/** As many colours as eyes can tell apart, with room for the others. */
export const TOP = 7;
export const OTHERS = "\u0000others";

/** The names with the most of it, most first. */
export function topNames(report: UsageReport, measure: Measure): string[] {
  return [...report.items]
    .sort((one, other) => amountOf(other, measure) - amountOf(one, measure))
    .slice(0, TOP)
    .filter((row) => amountOf(row, measure) > 0)
    .map(({ name }) => name);
}

interface Told {
  /** By name and time, of the top names at least. */
  named: UsageReport;
  /** By time alone. */
  whole: UsageReport;
  top: readonly string[];
  days: Days;
  per: "day" | "month";
  measure: Measure;
}

export function barColumns({ named, whole, top, days, per, measure }: Told): Column[] {
  const all = new Map(whole.items.map((row) => [keyOf(row.since, per), amountOf(row, measure)]));
  const parts = new Map<string, Map<string, number>>();
  for (const row of named.items) {
    if (!top.includes(row.name)) continue;
    const at = keyOf(row.since, per);
    const found = parts.get(at) ?? new Map<string, number>();
    found.set(row.name, (found.get(row.name) ?? 0) + amountOf(row, measure));
    parts.set(at, found);
  }
  return columnsOf(days, per).map((since) => {
    const key = keyOf(since, per);
    const found = parts.get(key) ?? new Map<string, number>();
    const sum = [...found.values()].reduce((before, each) => before + each, 0);
    // The two reports are read a moment apart, and time runs: less than this is no other.
    const rest = (all.get(key) ?? 0) - sum;
    const others = rest > 0.001 * (sum + rest) ? rest : 0;
    return {
      at: since,
      parts: [
        ...top.map((id) => ({ id, value: found.get(id) ?? 0 })),
        { id: OTHERS, value: others },
      ],
    };
  });
}

function keyOf(since: string, per: "day" | "month"): string {
  return since.slice(0, per === "day" ? 10 : 7);
}
