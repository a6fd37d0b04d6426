/** One's own work as the overview tells it. Pure. */
import type { Change, Workload, WorkloadPage, WorkloadState } from "../api/types";
import { newest } from "../workloads/changes";
import { isEnded } from "../workloads/state";

export const activeStates = [
  "queued",
  "scheduled",
  "starting",
  "running",
  "stopping",
] as const satisfies readonly WorkloadState[];

/** The page after the changes: what ended leaves, what is new comes in. */
export function mineChanged(page: WorkloadPage, changes: readonly Change[]): WorkloadPage {
  const changed = newest(changes);
  let gone = 0;
  const items = page.items.flatMap((held) => {
    const next = changed.get(held.id);
    changed.delete(held.id);
    if (!next || next.version <= held.version) return held;
    if (!isEnded(next.state)) return next;
    gone += 1;
    return [];
  });
  const arrived = [...changed.values()].filter(({ state }) => !isEnded(state));
  return {
    ...page,
    items: [...arrived, ...items],
    total: (page.total ?? page.items.length) + arrived.length - gone,
  };
}

/** What waits comes first, since it is what one may act on, but leaves room for what runs. */
export function mineShown(items: readonly Workload[], room: number): Workload[] {
  const waiting = items.filter(({ state }) => state === "queued").sort(oldestFirst);
  const others = items
    .filter(({ state }) => state !== "queued")
    .sort(oldestFirst)
    .reverse();
  const left = Math.max(Math.ceil(room / 2), room - others.length);
  const shown = waiting.slice(0, left);
  return [...shown, ...others.slice(0, room - shown.length)];
}

function oldestFirst(a: Workload, b: Workload): number {
  return Date.parse(a.submitted_at) - Date.parse(b.submitted_at);
}
