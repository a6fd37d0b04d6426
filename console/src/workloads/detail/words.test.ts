import { expect, test } from "vitest";
import { countsOf, detailOf, eventOf } from "../../testing/documents";
import { alikeGathered, eventInWords, ranksInWords } from "./HistoryList";
import { sentence } from "./sentence";
import { fieldsFound } from "./specFields";

test.each([
  [{ kind: "WorkloadQueued", cause: "submitted", actor: "ana" }, [], "Submitted by ana"],
  [{ kind: "WorkloadQueued", cause: "retry", actor: "podium" }, [], "Queued"],
  [
    { kind: "WorkloadStopRequested", cause: "cancelled", actor: "ana" },
    [],
    "Stop requested by ana",
  ],
  [{ kind: "ReplicaFailed", cause: "exit_code", actor: "podium" }, [3], "Task 3 failed"],
  [
    { kind: "ReplicaRunning", cause: "started", actor: "podium" },
    [0, 1, 2, 5],
    "Tasks 0 to 2, 5 running",
  ],
] as const)("the event %o of %o is told as %s", (event, ranks, words) => {
  expect(eventInWords(event, ranks, "Task")).toBe(words);
});

test("ranks come in order, and neighbours as a range", () => {
  expect(ranksInWords([9, 4, 3, 0])).toBe("0, 3, 4, 9");
});

test("only what happened alike and in a row shares a line", () => {
  const of = (rank: number | null, kind: string, message = "") =>
    eventOf({ rank, kind, message, seq: rank ?? 99 });
  const gathered = alikeGathered([
    of(null, "WorkloadScheduled"),
    of(0, "ReplicaScheduled", "On a."),
    of(1, "ReplicaScheduled", "On a."),
    of(2, "ReplicaScheduled", "On b."),
    of(0, "ReplicaRunning"),
  ]);
  expect(gathered.map(({ ranks }) => ranks)).toEqual([[], [0, 1], [2], [0]]);
});

test("what runs is said with its place", () => {
  const replica = (rank: number, node: string) => ({
    rank,
    node,
    state: "running" as const,
    attempt: 1,
    message: "",
    usage: detailOf().usage,
  });
  const workload = (...nodes: string[]) =>
    detailOf({
      replicas: countsOf({ total: nodes.length, running: nodes.length }),
      replica_list: nodes.map((node, rank) => replica(rank, node)),
    });
  expect(sentence(workload("n1"))).toBe("Runs on n1.");
  expect(sentence(workload("n1", "n2"))).toBe("All 2 replicas run on n1 and n2.");
  expect(sentence(workload("a", "b", "c", "d"))).toBe("All 4 replicas run on 4 nodes.");
  expect(sentence({ ...workload("n1"), replica_list: [] })).toBe("Runs.");
});

test.each([
  ["Ask for gpus: 4 or fewer.", ["gpus: 4"]],
  ["Ask for mig: 1g.10gb.", ["mig: 1g.10gb"]],
  ["Ask for gpu_type: H100, or leave gpu_type out.", ["gpu_type: H100", "gpu_type"]],
  ["Use topology.prefer in place of topology.within.", ["topology.prefer", "topology.within"]],
  ["Ask for mig_count: 2 or fewer.", ["mig_count: 2"]],
  ["Ask for less memory, or wait.", []],
])("in '%s' the fields are %o", (text, fields) => {
  const pieces = fieldsFound(text);
  expect(pieces.filter(({ field }) => field).map((piece) => piece.text)).toEqual(fields);
  expect(pieces.map((piece) => piece.text).join("")).toBe(text);
});

test("what took less than a second says so", () => {
  const times = { started_at: "2026-03-01T09:00:10Z", ended_at: "2026-03-01T09:00:10.200Z" };
  expect(sentence(detailOf({ state: "succeeded", ...times }))).toBe("Ended well in under 1 s.");
});
