/** The list's filters and order. They live in the address, so that each view of it is a link. */
import type { Kind, WaitReason, Workload, WorkloadSort, WorkloadState } from "../api/types";
import { type Direction, directionFirst, sorts } from "./order";
import { reasons } from "./reasons";
import { sinceIso, sinceRead } from "./since";
import { kinds, workloadStates } from "./state";

/** A type and not an interface, so that it passes where any search of an address may. */
export type WorkloadFilters = {
  project?: string[];
  state?: WorkloadState[];
  kind?: Kind[];
  owner?: string;
  /** Each is `key=value`. */
  label?: string[];
  reason?: WaitReason[];
  node?: string;
  /** `today`, a span such as `24h`, or an ISO time. */
  ended_since?: string;
  q?: string;
  /** By time of submission unless said otherwise. */
  sort?: WorkloadSort;
  /** The sort's own first direction unless said otherwise. */
  order?: Direction;
  /** Ids of columns with spaces between; the usual ones unless said otherwise. */
  columns?: string;
  /** The name of the saved view that was opened. */
  view?: string;
};

/** New values for some filters; undefined takes one away. */
export type FilterChange = { [Name in keyof WorkloadFilters]: WorkloadFilters[Name] | undefined };

/** What does not say which workloads are listed. */
const arrangement = ["sort", "order", "columns", "view"] as const;

export const noFilters: FilterChange = {
  state: undefined,
  kind: undefined,
  owner: undefined,
  label: undefined,
  reason: undefined,
  node: undefined,
  ended_since: undefined,
  q: undefined,
};

/** Takes everything of the list out of an address; the order is that of `compact`. */
export const noList: FilterChange = {
  project: undefined,
  ...noFilters,
  sort: undefined,
  order: undefined,
  columns: undefined,
  view: undefined,
};

/** Reads what stands in the address; what it does not know, it leaves out. */
export function filtersRead(search: Record<string, unknown>): WorkloadFilters {
  return compact({
    project: textsOf(search.project),
    state: listOf(search.state, workloadStates),
    kind: listOf(search.kind, kinds),
    owner: textsOf(search.owner)[0],
    label: textsOf(search.label).filter((each) => each.indexOf("=") > 0),
    reason: listOf(search.reason, reasons),
    node: textsOf(search.node)[0],
    ended_since: sinceRead(textsOf(search.ended_since)[0]),
    q: textsOf(search.q)[0],
    sort: listOf(search.sort, sorts)[0],
    order: directionRead(textsOf(search.order)[0]),
    columns: textsOf(search.columns)[0],
    view: textsOf(search.view)[0],
  });
}

/** `newest` and `oldest` are what the order by submission was called before others came. */
function directionRead(text: string | undefined): Direction | undefined {
  if (text === "up" || text === "oldest") return "up";
  return text === "down" || text === "newest" ? "down" : undefined;
}

/** Drops what is empty or usual, so that equal views have equal addresses. */
export function compact(filters: FilterChange): WorkloadFilters {
  const { project, state, kind, owner, label, reason, node, q, columns, view } = filters;
  const sort = filters.sort === "submitted" ? undefined : filters.sort;
  const order = filters.order === directionFirst(sort ?? "submitted") ? undefined : filters.order;
  return {
    ...(project?.length && { project }),
    ...(state?.length && { state }),
    ...(kind?.length && { kind }),
    ...(owner && { owner }),
    ...(label?.length && { label }),
    ...(reason?.length && { reason }),
    ...(node && { node }),
    ...(filters.ended_since && { ended_since: filters.ended_since }),
    ...(q && { q }),
    ...(sort && { sort }),
    ...(order && { order }),
    ...(columns && { columns }),
    ...(view && { view }),
  };
}

export function sortOf({ sort = "submitted", order }: WorkloadFilters) {
  return { sort, order: order ?? directionFirst(sort) };
}

/** Whether anything but the project, which is chosen for all pages, narrows the list. */
export function isFiltered({ project: _, ...filters }: WorkloadFilters): boolean {
  return Object.keys(selecting(filters)).length > 0;
}

/** The filters alone: which workloads are listed, in whatever order and columns. */
export function selecting(filters: WorkloadFilters): WorkloadFilters {
  const found = { ...filters };
  for (const name of arrangement) delete found[name];
  return found;
}

/** What decides which rows stand where; lists that agree in it are the same. */
export function listed({ columns: _, view: __, ...filters }: WorkloadFilters): WorkloadFilters {
  return filters;
}

/** The filters as the server takes them. */
export function selectionQuery(filters: WorkloadFilters) {
  const { ended_since, ...others } = selecting(filters);
  return { ...others, ...(ended_since && { ended_since: sinceIso(ended_since) }) };
}

/** The address of another workload beside the same list: its tab stays, its replica does not. */
export function beside(
  search: WorkloadFilters & { tab?: string },
): WorkloadFilters & { tab?: string } {
  return { ...compact(search), ...(search.tab && { tab: search.tab }) };
}

/**
 * Whether the list with these filters would show `workload`; the same rule as the server's. Where
 * its replicas are is not known here, so a filter by node lets everything pass.
 */
export function matches(workload: Workload, filters: WorkloadFilters): boolean {
  const { state, reason, ended_since } = filters;
  return (
    matchesForGood(workload, filters) &&
    (!state || state.includes(workload.state)) &&
    (!reason || (workload.waiting != null && reason.includes(workload.waiting.reason))) &&
    (!ended_since ||
      (workload.ended_at != null &&
        Date.parse(workload.ended_at) >= Date.parse(sinceIso(ended_since))))
  );
}

/** The filters by what never changes in a workload. */
export function matchesForGood(workload: Workload, filters: WorkloadFilters): boolean {
  const { project, kind, owner, label, q } = filters;
  return (
    (!project || project.includes(workload.project)) &&
    (!kind || kind.includes(workload.kind)) &&
    (!owner || owner === workload.owner) &&
    (!label || label.every((each) => hasLabel(workload, each))) &&
    (!q || workload.name.includes(q.toLowerCase()) || workload.id.startsWith(q.toLowerCase()))
  );
}

/** Whether workloads enter and leave the list while they live. */
export function membersChange({ state, reason, node, ended_since }: WorkloadFilters): boolean {
  return Boolean(state || reason || node || ended_since);
}

function hasLabel({ labels }: Workload, text: string): boolean {
  const at = text.indexOf("=");
  return labels?.[text.slice(0, at)] === text.slice(at + 1);
}

function textsOf(value: unknown): string[] {
  const given: unknown[] = Array.isArray(value) ? value : [value];
  return given.filter((each) => typeof each === "string" && each !== "") as string[];
}

function listOf<Value extends string>(value: unknown, known: readonly Value[]): Value[] {
  const given = textsOf(value);
  return known.filter((each) => given.includes(each));
}
