/** What stands in the form of a budget, and the request it makes. Pure. */
import type { Budget, BudgetLevel, BudgetPeriod, BudgetRequest, WhenSpent } from "../api/types";

export interface Draft {
  name: string;
  level: BudgetLevel;
  target: string;
  counts: "gpu_hours" | "money";
  amount: string;
  period: BudgetPeriod;
  gpu_types: string[];
  thresholds: string[];
  when_spent: WhenSpent;
  note: string;
}

export function draftOf(budget: Budget | undefined, level: BudgetLevel): Draft {
  return {
    name: budget?.name ?? "",
    level: budget?.level ?? level,
    target: budget?.target ?? "",
    counts: budget?.currency ? "money" : "gpu_hours",
    amount: budget ? String(Number(budget.amount)) : "",
    period: budget?.period ?? "month",
    gpu_types: budget?.gpu_types ?? [],
    thresholds: (budget?.thresholds ?? [50, 80, 100]).map(String),
    when_spent: budget?.when_spent ?? "warn",
    note: budget?.note ?? "",
  };
}

/** "1,500.5" → "1500.5"; null for what is no amount. */
export function amountOf(text: string): string | null {
  const plain = text
    .trim()
    .replace(/[\s,](?=\d{3}\b)/g, "")
    .replace(",", ".");
  return /^\d+(\.\d+)?$/.test(plain) && Number(plain) > 0 ? plain : null;
}

/** Whole percents from 1 to 100, in order; others are left out. */
export function thresholdsOf(texts: readonly string[]): number[] {
  const found = texts.map((each) => Number(each.replace("%", "").trim()));
  return [...new Set(found.filter(isPercent))].sort((a, b) => a - b);
}

function isPercent(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 100;
}

/** The request, or what is wrong by field, named as the server names them. */
export function requestOf(
  draft: Draft,
): { request: BudgetRequest & { name: string } } | { faults: Record<string, string> } {
  const { counts, amount: written, thresholds, target, ...same } = draft;
  const faults: Record<string, string> = {};
  const amount = amountOf(written);
  if (!same.name.trim()) faults.name = "Write a name, like nlp-gpus.";
  if (same.level !== "organisation" && !target.trim()) faults.target = "Choose whose it is.";
  if (amount === null) faults[counts] = "Write an amount above zero, like 500.";
  if (thresholdsOf(thresholds).length < new Set(thresholds).size)
    faults.thresholds = "Write whole percents from 1 to 100.";
  if (Object.keys(faults).length > 0) return { faults };
  return {
    request: {
      ...same,
      name: same.name.trim(),
      target: same.level === "organisation" ? "" : target.trim(),
      thresholds: thresholdsOf(thresholds),
      note: same.note.trim(),
      [counts]: amount,
    },
  };
}
