import { expect, test } from "vitest";
import { workloadOf } from "../testing/documents";
import { queueRows, shareInWords, turnInWords } from "./plan";
import { namedOf, planOf, turnOf } from "./queueDocuments";

const entry = (id: string, position: number, project = "vision") => ({
  position,
  workload: workloadOf({ id, name: id, project, state: "queued" }),
});

test("turns come first, those of others are gathered, and the rest follows", () => {
  const plan = planOf({
    turns: [
      turnOf({ position: 1, workload: null, project: null }),
      turnOf({ position: 2, workload: null, project: null }),
      turnOf({ position: 3, workload: namedOf("train") }),
    ],
  });
  const rows = queueRows(
    plan,
    [entry("w-train", 1), entry("w-like", 2), entry("w-late", 9)],
    undefined,
  );
  expect(rows.map((row) => (row.kind === "others" ? `${row.count} others` : row.key))).toEqual([
    "2 others",
    "w-train",
    "w-like",
    "w-late",
  ]);
  expect(rows.map((row) => (row.kind === "mine" ? row.position : row.from))).toEqual([
    1,
    3,
    null,
    9,
  ]);
});

test("of a project alone, nothing else is told", () => {
  const plan = planOf({
    turns: [
      turnOf({ position: 1, workload: null, project: null }),
      turnOf({ position: 2, workload: namedOf("hear", "speech") }),
      turnOf({ position: 3 }),
    ],
  });
  expect(queueRows(plan, [], "vision").map(({ key }) => key)).toEqual(["w-train"]);
});

test("without a plan it is the queue as it is", () => {
  expect(queueRows(undefined, [entry("w-1", 1)], undefined)).toMatchObject([
    { kind: "mine", position: 1, turn: null, why: null },
  ]);
});

test.each([
  [{ inside_guarantee: true }, { inside_guarantee: false }, "fair", "Inside its guarantee"],
  [{ priority: 75 }, { priority: 50 }, "fair", "Priority 75"],
  [{}, {}, "fair", "Least of its due"],
  [{}, undefined, "fifo", "Waits longest"],
  [{}, {}, "attained", "Least GPU time so far"],
] as const)("%j before %j by %s: %s", (turn, next, order, words) => {
  expect(turnInWords(turnOf(turn), next && turnOf(next), order)).toBe(words);
});

test("shares are told in percent", () => {
  expect(shareInWords(84_333)).toBe("8.4 %");
  expect(shareInWords(887_515)).toBe("89 %");
});
