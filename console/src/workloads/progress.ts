/** How far the replicas of a workload are, in words. The list and the panel say the same. */
import type { ReplicaCounts, Workload } from "../api/types";
import { counted } from "../quantity/words";
import { isEnded, waitingOf } from "./state";

/** 13 of 40 tasks done, 2 failed */
export function tasksInWords(counts: ReplicaCounts): string {
  const failed = counts.failed > 0 ? `, ${counts.failed.toLocaleString("en")} failed` : "";
  return `${doneOf(counts).toLocaleString("en")} of ${counted(counts.total, "task")} done${failed}`;
}

export function doneOf({ succeeded, failed, cancelled }: ReplicaCounts): number {
  return succeeded + failed + cancelled;
}

/** Whether it moves on task by task, so that how far it is says most about it. */
export function isInProgress({ array, state }: Pick<Workload, "array" | "state">): boolean {
  return array && !isEnded(state) && state !== "queued";
}

/** What a row says beside the state: how far, why not, or how it ended. */
export function rowInWords(workload: Workload): string {
  const waiting = waitingOf(workload)?.message ?? workload.message;
  if (!isInProgress(workload)) return waiting;
  return [`${tasksInWords(workload.replicas)}.`, waiting].filter(Boolean).join(" ");
}
