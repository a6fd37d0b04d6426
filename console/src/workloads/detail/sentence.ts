/** What a workload is doing, in one plain sentence, where the server has not said it already. */
import type { WorkloadDetail } from "../../api/types";
import { counted } from "../../quantity/words";
import { durationInWords, secondsBetween } from "../../time/words";
import { waitingOf } from "../state";

export function sentence(workload: WorkloadDetail): string {
  const waiting = waitingOf(workload);
  if (waiting) return waiting.message;
  if (workload.message) return workload.message;
  const { replicas } = workload;
  const took = tookInWords(workload);
  switch (workload.state) {
    case "queued":
      return "Waits to be placed.";
    case "scheduled":
      return "Has its place and is about to start.";
    case "starting":
      return "Its code and data are being made ready.";
    case "running":
      if (replicas.total === 1) return "Runs.";
      return replicas.running === replicas.total
        ? `All ${replicas.total} replicas run.`
        : `${replicas.running} of ${counted(replicas.total, "replica")} run.`;
    case "stopping":
      return "Was asked to stop and is winding down.";
    case "succeeded":
      return `Ended well${took}.`;
    case "failed":
      return `Failed${took}.`;
    case "cancelled":
      return `Was cancelled${took}.`;
  }
}

function tookInWords({ started_at, ended_at }: WorkloadDetail): string {
  if (!started_at || !ended_at) return "";
  return ` after ${durationInWords(secondsBetween(started_at, Date.parse(ended_at)))}`;
}
