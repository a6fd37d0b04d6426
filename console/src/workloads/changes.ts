/** How a change from the live feed enters what is cached. Pure; useWorkloadStream calls it. */
import type { InfiniteData } from "@tanstack/react-query";
import type { Page, Workload, WorkloadDetail, WorkloadEvent } from "../api/types";
import { matches, type WorkloadFilters } from "./filters";

/** One message of the live feed. The feed is not part of the OpenAPI document. */
export interface Change {
  event: WorkloadEvent;
  workload: Workload;
}

export type WorkloadPages = InfiniteData<Page<Workload>, string>;

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
  const arrived = arrivals(kept, unseen, filters);
  const [first, ...rest] = kept;
  if (!first || arrived.length === 0) return { ...pages, pages: kept };
  const items = [...arrived, ...first.items].sort(newestFirst);
  return { ...pages, pages: [{ ...first, items }, ...rest] };
}

/** Older rows than the last one loaded belong to a page that was not asked for yet. */
function arrivals(
  pages: Page<Workload>[],
  unseen: ReadonlyMap<string, Workload>,
  filters: WorkloadFilters,
): Workload[] {
  const lastPage = pages.at(-1);
  const oldest = lastPage?.next_cursor ? lastPage.items.at(-1) : undefined;
  return [...unseen.values()].filter(
    (workload) =>
      matches(workload, filters) && (!oldest || workload.submitted_at >= oldest.submitted_at),
  );
}

function newestFirst(a: Workload, b: Workload): number {
  return Date.parse(b.submitted_at) - Date.parse(a.submitted_at) || (a.id < b.id ? 1 : -1);
}

export function detailChanged(detail: WorkloadDetail, workload: Workload): WorkloadDetail {
  return workload.version <= detail.version ? detail : { ...detail, ...workload };
}

export function eventsChanged(
  page: Page<WorkloadEvent>,
  event: WorkloadEvent,
): Page<WorkloadEvent> {
  const last = page.items.at(-1);
  return last && last.seq >= event.seq ? page : { ...page, items: [...page.items, event] };
}
