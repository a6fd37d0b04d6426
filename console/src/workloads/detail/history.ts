/** Events told as a story: alike ones of many replicas as one, in plain words. Pure. */
import type { Replica, WorkloadDetail, WorkloadEvent } from "../../api/types";
import { counted } from "../../quantity/words";
import { ranksInWords } from "../logs/ranks";
import { capitalised } from "../state";

export interface Told {
  /** The first of those that say the same. */
  event: WorkloadEvent;
  /** Of all replicas it is told of; none where it is about the workload. */
  ranks: number[];
  events: WorkloadEvent[];
  /** When the last of them happened. */
  untilMs: number;
}

/** What happens to replicas this long after one another is one thing. */
const TOGETHER_MS = 15_000;

/** Replicas to which the same happens at about the same time share a line. */
export function storyOf(
  events: readonly WorkloadEvent[],
  { replicas }: Pick<WorkloadDetail, "replicas">,
): Told[] {
  const story: Told[] = [];
  let open = new Map<string, Told>();
  for (const event of events) {
    const atMs = Date.parse(event.at);
    if (event.rank == null) {
      open = new Map();
      story.push({ event, ranks: [], events: [event], untilMs: atMs });
      continue;
    }
    // Of one replica its workload tells the same.
    if (replicas.total === 1) continue;
    const key = keyOf(event);
    const held = open.get(key);
    if (held && atMs - held.untilMs <= TOGETHER_MS) {
      held.ranks.push(event.rank);
      held.events.push(event);
      held.untilMs = atMs;
    } else {
      const told = { event, ranks: [event.rank], events: [event], untilMs: atMs };
      open.set(key, told);
      story.push(told);
    }
  }
  return storyJoined(story, replicas.total);
}

/** What happens to all replicas is what happens to the workload: one line says both. */
function storyJoined(story: readonly Told[], total: number): Told[] {
  const joined = new Set<Told>();
  for (const told of story) {
    const { event, ranks } = told;
    if (ranks.length > 0) continue;
    const kind = event.kind.replace("Workload", "Replica");
    const atMs = Date.parse(event.at);
    const same = story.find(
      (each) =>
        each.event.kind === kind &&
        each.ranks.length === total &&
        !joined.has(each) &&
        Math.abs(Date.parse(each.event.at) - atMs) <= TOGETHER_MS,
    );
    if (!same) continue;
    joined.add(same);
    told.events = [event, ...same.events];
  }
  return story.filter((told) => !joined.has(told));
}

/** Where each was placed differs, and is told of all of them. */
function keyOf({ kind, cause, message }: WorkloadEvent): string {
  return kind === "ReplicaScheduled" ? kind : `${kind} ${cause} ${message}`;
}

const ofWorkload: Record<string, string> = {
  WorkloadQueued: "Queued",
  WorkloadScheduled: "Placed",
  WorkloadLaunched: "Getting ready",
  WorkloadRunning: "Started running",
  WorkloadStopRequested: "Asked to stop",
  WorkloadRequeued: "Queued again",
  WorkloadSucceeded: "Succeeded",
  WorkloadFailed: "Failed",
  WorkloadCancelled: "Cancelled",
  WorkloadChanged: "Changed",
  WorkloadNoted: "Noted",
};

const ofReplicas: Record<string, string> = {
  ReplicaScheduled: "placed",
  ReplicaLaunched: "made ready",
  ReplicaRunning: "started",
  ReplicaStopRequested: "asked to stop",
  ReplicaSucceeded: "succeeded",
  ReplicaFailed: "failed",
  ReplicaCancelled: "stopped",
  ReplicaRequeued: "queued again",
};

/** The server's name for itself, which not every line need say. */
const SERVER_ACTOR = "podium";

/** "Submitted by ana"; "8 replicas started on gpu-1 and gpu-2". */
export function titleOf(
  { event, ranks, events }: Told,
  { array, replica_list }: Pick<WorkloadDetail, "array" | "replica_list">,
): string {
  const by = event.actor === SERVER_ACTOR ? "" : ` by ${event.actor}`;
  if (ranks.length === 0) {
    if (event.kind === "WorkloadQueued" && event.cause === "submitted") return `Submitted${by}`;
    if (event.kind === "WorkloadScheduled" && event.message) return sentenceBare(event.message);
    if (SAID.has(event.kind) && event.message) return sentenceBare(event.message);
    const [, again] = AGAIN.exec(event.message) ?? [];
    if (again) return again;
    const place = event.kind === "WorkloadRunning" ? placesOf(events, replica_list) : [];
    return `${ofWorkload[event.kind] ?? kindInWords(event.kind)}${nodesInWords(place)}${by}`;
  }
  const word = array ? "task" : "replica";
  const who = ranks.length === 1 ? `${capitalised(word)} ${ranks[0]}` : counted(ranks.length, word);
  const what = ofReplicas[event.kind] ?? kindInWords(event.kind).toLowerCase();
  const nodes = placesOf(events, replica_list);
  return `${who} ${what}${nodesInWords(nodes)}${by}`;
}

/** What these say is what there is to tell. */
const SAID = new Set(["WorkloadChanged", "WorkloadNoted"]);

const AGAIN = /^(Queued again for attempt \d+)\.\s*/;

function sentenceBare(sentence: string): string {
  return sentence.replace(/\.$/, "");
}

/** Why, where the title has not said it: the server's own sentence, or the cause. */
export function reasonOf({ event, ranks }: Told): string {
  const message = event.message.trim();
  if (["ReplicaScheduled", "WorkloadScheduled"].includes(event.kind)) return "";
  if (SAID.has(event.kind)) return "";
  if (message) return message.replace(AGAIN, "");
  const told = ["submitted", "placed", "started", "completed", "cancelled", "retry"];
  if (told.includes(event.cause) && ranks.length === 0) return "";
  return told.includes(event.cause) ? "" : `${capitalised(event.cause.replaceAll("_", " "))}.`;
}

/** Which ranks, where there are several but not simply all. */
export function whoseOf({ ranks }: Told, total: number): string {
  return ranks.length > 1 && ranks.length < total ? ranksInWords(ranks) : "";
}

/** WorkloadStopRequested → Stop requested */
export function kindInWords(kind: string): string {
  const words = kind
    .replace(/^(Workload|Replica)/, "")
    .replace(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toLowerCase();
  return capitalised(words);
}

const NODES_NAMED = 3;

function nodesInWords(nodes: readonly string[]): string {
  if (nodes.length === 0) return "";
  if (nodes.length > NODES_NAMED) return ` on ${nodes.length} nodes`;
  return ` on ${new Intl.ListFormat("en").format(nodes)}`;
}

/** Said by the event itself, or by where the replica is. */
export function placesOf(events: readonly WorkloadEvent[], replicas: readonly Replica[]): string[] {
  const found = new Set<string>();
  for (const { kind, message, rank } of events) {
    const [, said] = /^On (\S+)\.$/.exec(message) ?? [];
    const known = kind === "ReplicaRunning" && rank != null ? replicas[rank]?.node : null;
    const node = said ?? known;
    if (node) found.add(node);
  }
  return [...found].sort();
}
