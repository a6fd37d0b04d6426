/** What a report is asked, as the address says it, and the days it covers. Pure. */
import type { UsageDimension } from "../api/types";
import type { GovernanceSearch } from "../governance/search";

export type By = Exclude<UsageDimension, "organisation">;
export type Measure = "hours" | "cost" | "idle" | "borrowed";

export const dimensions: Record<By, { one: string; many: string }> = {
  team: { one: "Team", many: "Teams" },
  project: { one: "Project", many: "Projects" },
  cost_centre: { one: "Cost centre", many: "Cost centres" },
  user: { one: "Person", many: "People" },
  kind: { one: "Kind", many: "Kinds" },
  gpu_type: { one: "GPU type", many: "GPU types" },
  label: { one: "Label", many: "Labels" },
};

/** By what a name is looked into when it is pressed. */
export const next: Record<By, By> = {
  team: "project",
  project: "user",
  cost_centre: "project",
  user: "kind",
  kind: "project",
  gpu_type: "project",
  label: "project",
};

/** The dimensions that are narrowed by the page's own address, with their names in it: `kind` and
 * `label` alone are what the list of workloads calls several. A label is told as `run=7`. */
export const filters = {
  team: "team",
  cost_centre: "cost_centre",
  user: "user",
  kind: "of_kind",
  gpu_type: "gpu_type",
  label: "of_label",
} as const;
export const filterNames = Object.keys(filters) as (keyof typeof filters)[];

/** UTC midnights; `until` is the day after the last one. */
export interface Days {
  since: string;
  until: string;
}

const DAY_MS = 86_400_000;
/** More columns than this cannot be told apart. */
const DAYS_MOST = 95;

export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

export function dayAfter(day: string, days = 1): string {
  return dayOf(Date.parse(day) + days * DAY_MS);
}

/** "2026-11", months away */
export function monthOf(ms: number, months = 0): string {
  const date = new Date(ms);
  return dayOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1)).slice(0, 7);
}

export const spans = {
  month: "This month",
  last: "Last month",
  "30d": "30 days",
  "90d": "90 days",
  year: "12 months",
} as const;
export type SpanName = keyof typeof spans;

export function spanDays(span: SpanName, now: number): Days {
  const tomorrow = dayOf(now + DAY_MS);
  const found: Record<SpanName, Days> = {
    month: { since: `${monthOf(now)}-01`, until: tomorrow },
    last: { since: `${monthOf(now, -1)}-01`, until: `${monthOf(now)}-01` },
    "30d": { since: dayAfter(tomorrow, -30), until: tomorrow },
    "90d": { since: dayAfter(tomorrow, -90), until: tomorrow },
    year: { since: `${monthOf(now, -11)}-01`, until: tomorrow },
  };
  return found[span];
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** This month where the address says nothing, or nothing that can be. */
export function daysOf({ since, until }: GovernanceSearch, now: number): Days {
  const usual = spanDays("month", now);
  const found = {
    since: isDay(since) ? since : usual.since,
    until: isDay(until) ? until : usual.until,
  };
  return found.since < found.until ? found : usual;
}

function isDay(text: string | undefined): text is string {
  return text !== undefined && DAY.test(text) && !Number.isNaN(Date.parse(text));
}

export function perOf({ per }: GovernanceSearch, days: Days): "day" | "month" {
  const count = (Date.parse(days.until) - Date.parse(days.since)) / DAY_MS;
  if (per === "month") return "month";
  return per === "day" && count <= 4 * DAYS_MOST ? "day" : count > DAYS_MOST ? "month" : "day";
}

/** When each column begins. */
export function columnsOf({ since, until }: Days, per: "day" | "month"): string[] {
  const found: string[] = [];
  for (let at = since; at < until; ) {
    found.push(at);
    const date = new Date(at);
    at =
      per === "day"
        ? dayAfter(at)
        : dayOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1));
  }
  return found;
}

export function byOf({ by }: GovernanceSearch): By {
  return by !== undefined && by in dimensions ? (by as By) : "team";
}

/** By whose values labels are told; empty where nobody said it yet. */
export function keyOf(search: GovernanceSearch): string {
  return byOf(search) === "label" ? (search.key ?? "").trim() : "";
}

export function measureOf({ measure }: GovernanceSearch, priced: boolean): Measure {
  if (measure === "cost") return priced ? "cost" : "hours";
  return measure === "idle" || measure === "borrowed" ? measure : "hours";
}

/** The filters of a request. */
export function chosenOf(search: GovernanceSearch, project: string | undefined) {
  return {
    ...(project && { project: [project] }),
    ...Object.fromEntries(
      filterNames.flatMap((name) => {
        const value = search[filters[name]];
        return value ? [[name, [value]]] : [];
      }),
    ),
  };
}
