/** What a workload is doing, in one plain sentence, where the server has not said it already. */
import type { WorkloadDetail } from "../../api/types";
import { counted } from "../../quantity/words";
import { durationInWords, secondsBetween } from "../../time/words";
import { isInProgress, tasksInWords } from "../progress";
import { waitingOf } from "../state";

export function sentence(workload: WorkloadDetail): string {
  const { replicas } = workload;
  if (isInProgress(workload)) return `${tasksInWords(replicas)}.`;
  const waiting = waitingOf(workload);
  if (waiting) return waiting.message;
  if (workload.message) return workload.message;
  const took = tookInWords(workload);
  switch (workload.state) {
    case "queued":
      return "Waits to be placed.";
    case "scheduled":
      return "Has its place and is about to start.";
    case "starting":
      return "Its code and data are being made ready.";
    case "running":
      if (replicas.total === 1) return `Runs${placeInWords(workload)}.`;
      return replicas.running === replicas.total
        ? `All ${replicas.total} replicas run${placeInWords(workload)}.`
        : `${replicas.running} of ${counted(replicas.total, "replica")} run${placeInWords(workload)}.`;
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

const NODES_NAMED = 3;

/** " on node-1 and node-2"; of many nodes, how many. */
function placeInWords({ replica_list, replicas }: WorkloadDetail): string {
  const running = replica_list.filter(({ state }) => state === "running");
  const nodes = [...new Set(running.flatMap(({ node }) => node ?? []))];
  // Where the list stops short, what it names is not all.
  if (nodes.length === 0 || replica_list.length < replicas.total) return "";
  return nodes.length > NODES_NAMED
    ? ` on ${nodes.length} nodes`
    : ` on ${new Intl.ListFormat("en").format(nodes)}`;
}

function tookInWords({ started_at, ended_at }: WorkloadDetail): string {
  if (!started_at || !ended_at) return "";
  const seconds = secondsBetween(started_at, Date.parse(ended_at));
  return seconds < 1 ? " in under 1 s" : ` after ${durationInWords(seconds)}`;
}
