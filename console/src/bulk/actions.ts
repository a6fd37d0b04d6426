/** Does one thing to all that is selected, and tells what came of it. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { ActionDone, ActionRequest, Workload, WorkloadChange } from "../api/types";
import { selectionQuery, type WorkloadFilters } from "../workloads/filters";
import { workloadKeys } from "../workloads/queries";
import { WINDOW_ROWS } from "../workloads/windows";
import type { Selection } from "./selection";

/** The most that one request takes, by ids and by filters. */
const IDS_MAX = 1_000;
const MATCHING_MAX = 10_000;

export type Action =
  | { action: "cancel"; reason: string }
  | { action: "change"; change: WorkloadChange; reason: string };

export interface Outcome extends ActionDone {
  action: Action;
  /** What is selected by name, so that faults and an undo can name it. */
  rows: ReadonlyMap<string, Workload>;
}

export function useBulkAction() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ action, selection }: { action: Action; selection: Selection }) => {
      const rows = selection.all ? new Map<string, Workload>() : selection.rows;
      const done = await selectionAct(action, selection);
      return { ...done, action, rows } satisfies Outcome;
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: workloadKeys.all }),
  });
}

/** Gives each back the priority that it had. */
export function usePriorityUndo() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ rows }: Outcome) => {
      const byPriority = new Map<number, string[]>();
      for (const { id, priority } of rows.values()) {
        byPriority.set(priority, [...(byPriority.get(priority) ?? []), id]);
      }
      for (const [priority, ids] of byPriority) {
        await idsAct({ action: "change", change: { priority }, reason: "" }, ids);
      }
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: workloadKeys.all }),
  });
}

async function selectionAct(action: Action, selection: Selection): Promise<ActionDone> {
  if (!selection.all) return idsAct(action, [...selection.rows.keys()]);
  if (selection.rows.size === 0 && selection.count <= MATCHING_MAX) {
    const asked = asSelection(selection.filters);
    if (asked) return act({ ...action, selection: asked });
  }
  const ids = await idsMatching(selection.filters);
  return idsAct(
    action,
    ids.filter((id) => !selection.rows.has(id)),
  );
}

/** The filters as an action takes them; null where it does not know one of them. */
export function asSelection(filters: WorkloadFilters): ActionRequest["selection"] | null {
  const { reason, node, ended_since, ...others } = selectionQuery(filters);
  if (reason || node || ended_since) return null;
  // An action on everything is said by a filter too, never by the lack of one.
  return Object.keys(others).length > 0 ? others : null;
}

/** The ids are read before anything is done to them, for that may take them out of the list. */
async function idsMatching(filters: WorkloadFilters): Promise<string[]> {
  const ids = new Set<string>();
  for (let offset = 0; ; offset += WINDOW_ROWS) {
    const page = await answered(
      api.GET("/api/v1/workloads", {
        params: {
          query: { ...selectionQuery(filters), order: "up", offset, limit: WINDOW_ROWS },
        },
      }),
    );
    for (const { id } of page.items) ids.add(id);
    if (page.items.length < WINDOW_ROWS) return [...ids];
  }
}

async function idsAct(action: Action, ids: readonly string[]): Promise<ActionDone> {
  const sum: ActionDone = { done: 0, unchanged: 0, faults: [], fault_count: 0 };
  for (let at = 0; at < ids.length; at += IDS_MAX) {
    const part = await act({ ...action, selection: { ids: ids.slice(at, at + IDS_MAX) } });
    sum.done += part.done;
    sum.unchanged += part.unchanged;
    sum.faults.push(...part.faults);
    sum.fault_count += part.fault_count;
  }
  return sum;
}

function act(body: ActionRequest): Promise<ActionDone> {
  return answered(api.POST("/api/v1/workloads/actions", { body }));
}
