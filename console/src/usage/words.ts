/** Amounts of usage in words and as numbers to draw. Pure. */
import type { UsageAmounts } from "../api/types";
import { formats } from "../charts/formats";
import type { Format } from "../charts/series";
import type { By, Measure } from "./ask";

export function amountOf(row: UsageAmounts, measure: Measure): number {
  if (measure === "cost") return Number(row.cost?.amount ?? 0);
  return { hours: row.gpu_hours, idle: row.idle_gpu_hours, borrowed: row.borrowed_gpu_hours }[
    measure
  ];
}

export const measures: Record<Measure, string> = {
  hours: "GPU-hours",
  cost: "Cost",
  idle: "Idle",
  borrowed: "Borrowed",
};

export function formatOf(measure: Measure, currency: string | null): Format {
  if (measure !== "cost") return formats.gpuHours;
  const say = (value: number) => `${moneyInWords(value)} ${currency ?? ""}`.trim();
  return Object.assign(say, { tick: (value: number) => value.toLocaleString("en") });
}

export function moneyInWords(amount: number | string): string {
  return Number(amount).toLocaleString("en", {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  });
}

/** 0, 0.03, 4.2, 1,240 */
export function hoursInWords(hours: number): string {
  if (hours === 0) return "0";
  if (hours < 0.01) return "< 0.01";
  return hours.toLocaleString("en", {
    minimumFractionDigits: hours < 100 ? 2 : 0,
    maximumFractionDigits: hours < 100 ? 2 : hours < 1000 ? 1 : 0,
  });
}

export function nameInWords(by: By, name: string): string {
  if (name) return name;
  if (by === "label") return "Without this label";
  return by === "cost_centre" ? "No cost centre" : by === "gpu_type" ? "No GPU" : "Not named";
}
