/** What stands in the address of the audit page: filters, the time looked at, and the open entry. */
import { type RangeSearch, rangeOf, rangeRead } from "../charts/range";

/** A type and not an interface, so that it passes where any search may. */
export type AuditSearch = {
  actor?: string;
  /** Such as `quota:set`; `quota:` is all about quotas. */
  action?: string;
  subject?: string;
  outcome?: "allowed" | "refused";
  /** The address that it came from. */
  source?: string;
  request?: string;
  /** Words anywhere in an entry. */
  q?: string;
  /** The number of the entry that is open. */
  entry?: string;
} & RangeSearch;

/** New values for some of it; undefined takes one away. */
export type AuditChange = { [Name in keyof AuditSearch]?: AuditSearch[Name] | undefined };

/** The filters that are given as texts, in the order of their chips. */
export const textFilters = ["actor", "action", "subject", "source", "request"] as const;
export type TextFilter = (typeof textFilters)[number];

export const filterNames: Record<TextFilter, string> = {
  actor: "Who",
  action: "Did",
  subject: "To",
  source: "From",
  request: "Request",
};

export const noFilters: AuditChange = {
  actor: undefined,
  action: undefined,
  subject: undefined,
  source: undefined,
  request: undefined,
  outcome: undefined,
  q: undefined,
  range: undefined,
  from: undefined,
  to: undefined,
};

/** Reads what stands in the address; what it does not know, it leaves out. */
export function auditSearchRead(search: Record<string, unknown>): AuditSearch {
  const found: AuditSearch = rangeRead(search);
  for (const name of [...textFilters, "q"] as const) {
    const value = search[name];
    if (typeof value === "string" && value !== "") found[name] = value;
  }
  const { outcome, entry } = search;
  if (outcome === "allowed" || outcome === "refused") found.outcome = outcome;
  if (/^[1-9]\d{0,15}$/.test(String(entry))) found.entry = String(entry);
  return found;
}

/** What says which entries are listed, and nothing else: the key of the list. */
export function listed({ entry: _, ...filters }: AuditSearch): AuditSearch {
  return filters;
}

export function isFiltered(search: AuditSearch): boolean {
  return Object.keys(listed(search)).length > 0;
}

/** What the server is asked. A span that ends now is cut at the time of asking. */
export function queryOf(search: AuditSearch, project: string | undefined, nowMs = Date.now()) {
  const { actor, action, subject, outcome, source, request, q } = search;
  return {
    ...(project && { project }),
    ...(actor && { actor }),
    ...(action && { action }),
    ...(subject && { subject }),
    ...(outcome && { outcome }),
    ...(source && { source }),
    ...(request && { request_id: request }),
    ...(q && { q }),
    ...timesOf(search, nowMs),
  };
}

/** The span of time as the server takes it; empty for all of it. */
export function timesOf(
  { range, from, to }: AuditSearch,
  nowMs = Date.now(),
): { since?: string; until?: string } {
  if (from && to) return { since: from, until: to };
  if (!range || range === "all") return {};
  return { since: new Date(rangeOf({ range }, nowMs).from).toISOString() };
}
