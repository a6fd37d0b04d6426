/** What lists are in order of, and which end comes first. Rows that the server sorts, sort here too. */
import type { Workload, WorkloadSort } from "../api/types";

export type Direction = "up" | "down";

export const sorts = [
  "submitted",
  "name",
  "project",
  "owner",
  "kind",
  "state",
  "priority",
  "started",
  "ended",
  "gpus",
] as const satisfies readonly WorkloadSort[];

/** Texts read from A on; of times and numbers one wants the latest and the largest. */
const textual: ReadonlySet<WorkloadSort> = new Set(["name", "project", "owner", "kind", "state"]);

/** A workload's place by these changes while it lives. */
const changing: ReadonlySet<WorkloadSort> = new Set(["state", "priority", "started", "ended"]);

export function directionFirst(sort: WorkloadSort): Direction {
  return textual.has(sort) ? "up" : "down";
}

export function placesChange(sort: WorkloadSort): boolean {
  return changing.has(sort);
}

/** Whether two versions of a workload stand at the same place of a list. */
export function samePlace(one: Workload, other: Workload, sort: WorkloadSort): boolean {
  switch (sort) {
    case "state":
      return one.state === other.state;
    case "priority":
      return one.priority === other.priority;
    case "started":
      return one.started_at === other.started_at;
    case "ended":
      return one.ended_at === other.ended_at;
    default:
      return true;
  }
}
