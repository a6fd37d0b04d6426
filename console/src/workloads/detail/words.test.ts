import { expect, test } from "vitest";
import type { Replica, WorkloadDetail, WorkloadEvent } from "../../api/types";
import { countsOf, detailOf, eventOf } from "../../testing/documents";
import { durationWritten, isDuration } from "./dialogs";
import { factsOf, holdersOf } from "./evidence";
import { reasonOf, storyOf, titleOf, whoseOf } from "./history";
import { costInWords, shareInWords } from "./money";
import { attemptsOf, limitOf, totalsOf } from "./phases";
import { orderRead, replicasShown } from "./replicaOrder";
import { sentence } from "./sentence";
import { linesMarked, orderedLike } from "./specDifference";
import { fieldsFound } from "./specFields";

const told = (events: WorkloadEvent[], given: Partial<WorkloadDetail> = {}) => {
  const workload = detailOf({ replicas: countsOf({ total: 8 }), ...given });
  return storyOf(events, workload).map((each) => ({
    title: titleOf(each, workload),
    why: reasonOf(each),
    whose: whoseOf(each, 8),
  }));
};
const happened = (given: Partial<WorkloadEvent>, seconds = 0) =>
  eventOf({
    actor: "podium",
    at: new Date(Date.parse("2026-03-01T09:00:00Z") + seconds * 1000).toISOString(),
    ...given,
  });

test.each([
  [{ kind: "WorkloadQueued", cause: "submitted", actor: "ana" }, "Submitted by ana", ""],
  [{ kind: "WorkloadStopRequested", cause: "cancelled", actor: "ana" }, "Asked to stop by ana", ""],
  [
    { kind: "WorkloadScheduled", cause: "placed", message: "Placed on 2 nodes with 8 GPUs." },
    "Placed on 2 nodes with 8 GPUs",
    "",
  ],
  [
    { kind: "WorkloadFailed", cause: "exit_code", message: "Ended with exit code 1." },
    "Failed",
    "Ended with exit code 1.",
  ],
  [{ kind: "WorkloadRequeued", cause: "node_lost" }, "Queued again", "Node lost."],
  [{ kind: "ReplicaFailed", cause: "exit_code", rank: 3 }, "Replica 3 failed", "Exit code."],
  [{ kind: "WorkloadSomethingNew", cause: "placed" }, "Something new", ""],
] as const)("the event %o is told as %s", (event, title, why) => {
  expect(told([happened(event)])).toEqual([{ title, why, whose: "" }]);
});

test("what happens to replicas together is told once, with their nodes", () => {
  const events = [
    happened({ kind: "WorkloadScheduled", cause: "placed" }),
    ...[0, 1, 2].flatMap((rank) => [
      happened({ kind: "ReplicaScheduled", cause: "placed", rank, message: `On gpu-${rank % 2}.` }),
      happened({ kind: "ReplicaRunning", cause: "started", rank }, 2 + rank),
    ]),
    happened({ kind: "ReplicaRunning", cause: "started", rank: 7 }, 60),
  ];
  expect(told(events).map(({ title, whose }) => [title, whose])).toEqual([
    ["Placed", ""],
    ["3 replicas placed on gpu-0 and gpu-1", "0 to 2"],
    ["3 replicas started", "0 to 2"],
    ["Replica 7 started", ""],
  ]);
});

test("what happens to all replicas is told with the workload", () => {
  const events = [
    happened({ kind: "WorkloadScheduled", message: "Placed on gpu-1 with 2 GPUs." }),
    happened({ kind: "ReplicaScheduled", cause: "placed", rank: 0, message: "On gpu-1." }),
    happened({ kind: "ReplicaScheduled", cause: "placed", rank: 1, message: "On gpu-1." }),
    happened({ kind: "ReplicaRunning", cause: "started", rank: 1 }, 3),
  ];
  const two = { replicas: countsOf({ total: 2 }) };
  expect(told(events, two).map(({ title }) => title)).toEqual([
    "Placed on gpu-1 with 2 GPUs",
    "Replica 1 started",
  ]);
});

test("of one replica its workload tells the same, so it is told once", () => {
  const events = [
    happened({ kind: "WorkloadRunning", cause: "started" }),
    happened({ kind: "ReplicaRunning", cause: "started", rank: 0 }),
  ];
  expect(told(events, { replicas: countsOf({ total: 1 }) })).toHaveLength(1);
});

test("a life is told as phases, each attempt for itself", () => {
  const workload = detailOf({ attempt: 2, max_runtime_seconds: 3600, started_at: null });
  const moves = [
    ["WorkloadQueued", "queued", 0],
    ["WorkloadScheduled", "scheduled", 60],
    ["WorkloadLaunched", "starting", 61],
    ["WorkloadRunning", "running", 70],
    ["WorkloadRequeued", "queued", 100],
    ["WorkloadScheduled", "scheduled", 110],
    ["WorkloadRunning", "running", 115],
  ] as const;
  const events = moves.map(([kind, state, at]) => happened({ kind, state }, at));
  const startMs = Date.parse("2026-03-01T09:00:00Z");
  const attempts = attemptsOf(workload, events, startMs + 200_000);
  expect(
    attempts.map(({ phases }) =>
      phases.map(({ label, fromMs, toMs }) => [label, (toMs - fromMs) / 1000]),
    ),
  ).toEqual([
    [
      ["Waiting", 60],
      ["Starting", 10],
      ["Running", 30],
    ],
    [
      ["Waiting", 10],
      ["Starting", 5],
      ["Running", 85],
    ],
  ]);
  expect(limitOf(workload, attempts)).toEqual({
    atMs: startMs + 115_000 + 3_600_000,
    why: "time limit",
  });
  const running = totalsOf(attempts, workload).find(({ label }) => label === "Running");
  expect(running).toMatchObject({ seconds: 115, open: true });
});

test("facts are said with their whole, their node, and several as one", () => {
  const evidence = [
    { fact: "gpus_free", value: "3", subject: "" },
    { fact: "gpus_total", value: "8", subject: "" },
    { fact: "gpu_type", value: "H100", subject: "" },
    { fact: "gpu_type", value: "A100", subject: "" },
    { fact: "node_state", value: "down", subject: "gpu-2" },
    { fact: "holder", value: "w-2", subject: "vision" },
    { fact: "mig_slices", value: "2", subject: "" },
  ];
  expect(factsOf(evidence)).toEqual([
    { name: "GPUs free", value: "3 of 8" },
    { name: "GPU types here", value: "H100, A100" },
    { name: "Node", value: "down", node: "gpu-2" },
    { name: "MIG slices", value: "2" },
  ]);
  expect(holdersOf(evidence)).toEqual(["w-2"]);
});

test("lines that nobody wrote are marked", () => {
  const added = (before: string, after: string) =>
    linesMarked(before, after)
      .filter((line) => line.added)
      .map(({ text }) => text);
  expect(added("a: 1\nc: 3\n", "a: 1\nb: 2\nc: 3\nd: 4\n")).toEqual(["b: 2", "d: 4"]);
  expect(added("a: 1\n", "a: 2\n")).toEqual(["a: 2"]);
  expect(added("x: 1\na: 1\n", "a: 1\n")).toEqual([]);
  expect(Object.keys(orderedLike({ a: 1, b: 2 }, { b: 0 }) as object)).toEqual(["b", "a"]);
});

test("durations are written as specs take them, and money with its currency", () => {
  expect([5400, 90_061, 45].map(durationWritten)).toEqual(["1h30m", "1d1h1m1s", "45s"]);
  expect(["1h30m", "none", "2 d", "tomorrow", ""].map(isDuration)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
  expect(costInWords({ amount: "12.4", currency: "EUR" })).toBe("EUR\u00a012.40");
  expect(shareInWords(0.634)).toBe("63 %");
});

test("replicas are filtered and sorted, and what has no value comes last", () => {
  const replica = (rank: number, given: Partial<Replica>): Replica => ({
    rank,
    state: "running",
    attempt: 1,
    message: "",
    usage: detailOf().usage,
    ...given,
  });
  const some = [
    replica(0, { started_at: "2026-03-01T09:00:05Z" }),
    replica(1, { state: "failed", started_at: "2026-03-01T09:00:00Z" }),
    replica(2, { state: "waiting" }),
  ];
  const ranks = (state: string | undefined, by: string) =>
    replicasShown(some, state, orderRead(by), Date.parse("2026-03-01T09:01:00Z")).map(
      ({ rank }) => rank,
    );
  expect(ranks(undefined, "started")).toEqual([1, 0, 2]);
  expect(ranks(undefined, "-started")).toEqual([0, 1, 2]);
  expect(ranks(undefined, "state")).toEqual([1, 0, 2]);
  expect(ranks("failed", "-ran")).toEqual([1]);
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
