/** How a change from the live feed enters what is cached. Pure; useWorkloadStream calls it. */
import type { InfiniteData } from "@tanstack/react-query";
import type {
  Change,
  Page,
  Workload,
  WorkloadDetail,
  WorkloadEvent,
  WorkloadPage,
} from "../api/types";
import { matches, matchesForGood, membersChange, sortOf, type WorkloadFilters } from "./filters";
import { placesChange, samePlace } from "./order";

export type EventPages = InfiniteData<Page<WorkloadEvent>, string>;

/** Of several changes to one workload only the newest matters to a list. */
export function newest(changes: readonly Change[]): Map<string, Workload> {
  const found = new Map<string, Workload>();
  for (const { workload } of changes) {
    const held = found.get(workload.id);
    if (!held || held.version <= workload.version) found.set(workload.id, workload);
  }
  return found;
}

/** The ids of those that are new. */
export function submitted(changes: readonly Change[]): Set<string> {
  const fresh = changes.filter(({ event }) => event.cause === "submitted");
  return new Set(fresh.map(({ workload }) => workload.id));
}

/** The window with its rows as they are now, each in its place; the same object if none changed. */
export function windowChanged(
  page: WorkloadPage,
  changed: ReadonlyMap<string, Workload>,
): WorkloadPage {
  let touched = false;
  const items = page.items.map((held) => {
    const next = changed.get(held.id);
    if (!next || next.version <= held.version) return held;
    touched = true;
    return next;
  });
  return touched ? { ...page, items } : page;
}

/**
 * Whether after the changes other rows stand in the list, or in other places, so that it must be
 * read again. `held` are the rows of it that are known, as they were before.
 */
export function rowsMove(
  held: ReadonlyMap<string, Workload>,
  changed: ReadonlyMap<string, Workload>,
  fresh: ReadonlySet<string>,
  filters: WorkloadFilters,
): boolean {
  const { sort } = sortOf(filters);
  const settled = !membersChange(filters) && !placesChange(sort);
  for (const [id, next] of changed) {
    const before = held.get(id);
    if (before) {
      if (next.version <= before.version) continue;
      if (!matches(next, filters) || !samePlace(before, next, sort)) return true;
    } else if (matchesForGood(next, filters) && (!settled || fresh.has(id))) {
      return true;
    }
  }
  return false;
}

export function detailChanged(detail: WorkloadDetail, workload: Workload): WorkloadDetail {
  return workload.version <= detail.version ? detail : { ...detail, ...workload };
}

/** The history after one more event, unless its end was not read yet or has it already. */
export function eventsChanged(pages: EventPages, event: WorkloadEvent): EventPages {
  const page = pages.pages.at(-1);
  const last = page?.items.at(-1);
  if (!page || page.next_cursor || (last && last.seq >= event.seq)) return pages;
  return { ...pages, pages: pages.pages.with(-1, { ...page, items: [...page.items, event] }) };
}
