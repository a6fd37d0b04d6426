/** Budgets in words. Pure. */
import type { Budget, BudgetLevel, BudgetPeriod, WhenSpent } from "../api/types";

export const levels: Record<BudgetLevel, string> = {
  organisation: "Whole organisation",
  team: "Team",
  project: "Project",
  "cost-centre": "Cost centre",
  user: "Person",
};

export const periods: Record<BudgetPeriod, string> = {
  day: "Day",
  week: "Week, from Monday",
  month: "Month",
  quarter: "Quarter",
  year: "Year",
  total: "Once, for ever",
};

export const whenSpent: Record<WhenSpent, string> = {
  warn: "Tell people",
  block: "Let nothing new start",
  stop: "Also stop what may be preempted",
};

const ends: Record<WhenSpent, string> = {
  warn: "When it is spent, people are told, and nothing else happens.",
  block: "When it is spent, nothing new starts that would spend more: it waits. What runs goes on.",
  stop: "When it is spent, nothing new starts that would spend more, and work that may be preempted is stopped and queued again. Other work goes on.",
};

/** "500 GPU-hours", "20,000 EUR" */
export function amountInWords(amount: string | number, currency: string | null): string {
  const value = Number(amount);
  const digits = currency ? (Number.isInteger(value) ? 0 : 2) : Math.abs(value) < 10 ? 2 : 1;
  const text = value.toLocaleString("en", {
    minimumFractionDigits: currency ? digits : 0,
    maximumFractionDigits: digits,
  });
  if (currency) return `${text} ${currency}`;
  return `${text} ${text === "1" ? "GPU-hour" : "GPU-hours"}`;
}

/** "each month", "since 1 Nov" */
export function periodInWords(period: BudgetPeriod): string {
  return period === "total" ? "in all" : `each ${period}`;
}

interface Said {
  whose: string;
  amount: string | null;
  currency: string | null;
  period: BudgetPeriod;
  gpu_types: readonly string[];
  thresholds: readonly number[];
  when_spent: WhenSpent;
}

/** What a budget does, in sentences. */
export function budgetInWords(said: Said): string {
  const { whose, amount, currency, period, gpu_types, thresholds, when_spent } = said;
  const much = amount === null ? "so much" : amountInWords(amount, currency);
  const of = gpu_types.length > 0 ? ` on ${listed(gpu_types)} alone` : "";
  const told =
    thresholds.length > 0
      ? ` People are told at ${listed(thresholds.map((each) => `${each} %`))}.`
      : "";
  return `${sentence(whose)} may spend ${much} ${periodInWords(period)}${of}.${told} ${ends[when_spent]}`;
}

export function whoseInWords(level: BudgetLevel, target: string): string {
  if (level === "organisation") return "the whole organisation";
  return `${levels[level].toLowerCase()} ${target || "…"}`;
}

/** How it stands: what comes next, in one sentence. `moment` says a time. */
export function outlookInWords(budget: Budget, moment: (at: string) => string): string {
  const { spent, state, when_spent, until, runs_out_at, per_hour, currency } = budget;
  if (spent === null) {
    return "Some of what it counts has no price, so it acts on nothing. Set a price, or count GPU-hours.";
  }
  const whole = until ? ` until ${moment(until)}` : "";
  if (state === "spent") {
    if (when_spent === "warn") return `Spent${until ? `; whole again ${moment(until)}` : ""}.`;
    return `Spent. Nothing new starts${whole}${until ? "" : " until it is made larger"}.`;
  }
  if (runs_out_at) {
    return `Runs out ${moment(runs_out_at)} if what runs now goes on (${amountInWords(per_hour, currency)} an hour).`;
  }
  if (Number(per_hour) === 0) return "Nothing that it counts runs now.";
  return until ? "Lasts until the period ends, with what runs now." : "Lasts, with what runs now.";
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "A, B and C" */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
