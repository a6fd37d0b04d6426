/** The list's filters and order. They live in the address, so that each view of it is a link. */
import type { Kind, Workload, WorkloadState } from "../api/types";
import { kinds, workloadStates } from "./state";

/** A type and not an interface, so that it passes where any search of an address may. */
export type WorkloadFilters = {
  project?: string[];
  state?: WorkloadState[];
  kind?: Kind[];
  q?: string;
  /** Newest first unless said otherwise. */
  order?: "oldest";
};

/** New values for some filters; undefined takes one away. */
export type FilterChange = { [Name in keyof WorkloadFilters]: WorkloadFilters[Name] | undefined };

/** Reads what stands in the address; what it does not know, it leaves out. */
export function filtersRead(search: Record<string, unknown>): WorkloadFilters {
  return compact({
    project: textsOf(search.project),
    state: listOf(search.state, workloadStates),
    kind: listOf(search.kind, kinds),
    q: textsOf(search.q)[0],
    order: search.order === "oldest" ? "oldest" : undefined,
  });
}

/** Drops empty filters, so that equal views have equal addresses. */
export function compact(filters: FilterChange): WorkloadFilters {
  const { project, state, kind, q, order } = filters;
  return {
    ...(project?.length && { project }),
    ...(state?.length && { state }),
    ...(kind?.length && { kind }),
    ...(q && { q }),
    ...(order && { order }),
  };
}

export function isFiltered({ order: _, ...filters }: WorkloadFilters): boolean {
  return Object.keys(filters).length > 0;
}

/** The address of another workload beside the same list: its tab stays, its replica does not. */
export function beside(
  search: WorkloadFilters & { tab?: string },
): WorkloadFilters & { tab?: string } {
  return { ...compact(search), ...(search.tab && { tab: search.tab }) };
}

/** Whether the list with these filters would show `workload`; the same rule as the server's. */
export function matches(workload: Workload, filters: WorkloadFilters): boolean {
  const { project, state, kind, q } = filters;
  return (
    (!project || project.includes(workload.project)) &&
    (!state || state.includes(workload.state)) &&
    (!kind || kind.includes(workload.kind)) &&
    (!q || workload.name.includes(q.toLowerCase()) || workload.id.startsWith(q.toLowerCase()))
  );
}

function textsOf(value: unknown): string[] {
  const given: unknown[] = Array.isArray(value) ? value : [value];
  return given.filter((each) => typeof each === "string" && each !== "") as string[];
}

function listOf<Value extends string>(value: unknown, known: readonly Value[]): Value[] {
  const given = textsOf(value);
  return known.filter((each) => given.includes(each));
}
