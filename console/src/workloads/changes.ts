/** How a change from the live feed enters what is cached. Pure; useWorkloadStream calls it. */
import type { InfiniteData } from "@tanstack/react-query";
import type { Change, Page, Workload, WorkloadDetail, WorkloadEvent } from "../api/types";
import { matches, type WorkloadFilters } from "./filters";

export type WorkloadPages = InfiniteData<Page<Workload>, string>;
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

/** The list after the changes: known rows are replaced or leave, new ones come in on top. */
export function listChanged(
  pages: WorkloadPages,
  changed: ReadonlyMap<string, Workload>,
  filters: WorkloadFilters,
): WorkloadPages {
  const unseen = new Map(changed);
  const kept = pages.pages.map((page) => {
    let touched = false;
    const items = page.items.flatMap((held) => {
      const next = changed.get(held.id);
      if (!next) return held;
      unseen.delete(held.id);
      if (next.version <= held.version) return held;
      touched = true;
      return matches(next, filters) ? next : [];
    });
    return touched ? { ...page, items } : page;
  });
  const inOrder = filters.order === "oldest" ? oldestFirst : newestFirst;
  const arrived = arrivals(kept, unseen, filters).sort(inOrder);
  // New rows are at the list's beginning, or at its end when the oldest come first.
  const at = filters.order === "oldest" ? kept.length - 1 : 0;
  const page = kept[at];
  if (!page || arrived.length === 0) return { ...pages, pages: kept };
  const items = [...arrived, ...page.items].sort(inOrder);
  return { ...pages, pages: kept.with(at, { ...page, items }) };
}

/** What comes after the last row loaded belongs to a page that was not asked for yet. */
function arrivals(
  pages: Page<Workload>[],
  unseen: ReadonlyMap<string, Workload>,
  filters: WorkloadFilters,
): Workload[] {
  const lastPage = pages.at(-1);
  const last = lastPage?.next_cursor ? lastPage.items.at(-1) : undefined;
  const inOrder = filters.order === "oldest" ? oldestFirst : newestFirst;
  return [...unseen.values()].filter(
    (workload) => matches(workload, filters) && (!last || inOrder(workload, last) <= 0),
  );
}

function newestFirst(a: Workload, b: Workload): number {
  return Date.parse(b.submitted_at) - Date.parse(a.submitted_at) || (a.id < b.id ? 1 : -1);
}

function oldestFirst(a: Workload, b: Workload): number {
  return -newestFirst(a, b);
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
