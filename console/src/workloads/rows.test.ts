import { describe, expect, test } from "vitest";
import type { Workload } from "../api/types";
import { workloadOf } from "../testing/documents";
import { keptBegin, keptNext, keptRows, type Rows, shiftOf } from "./rows";
import { windowStarts } from "./windows";

function rowsOf(...items: Workload[]): Rows {
  return {
    total: items.length,
    at: (index) => items[index],
    placeOf: (id) => {
      const place = items.findIndex((item) => item.id === id);
      return place < 0 ? undefined : place;
    },
  };
}

const [a, b, c, d] = ["a", "b", "c", "d"].map((id) => workloadOf({ id })) as [
  Workload,
  Workload,
  Workload,
  Workload,
];

function shown(before: Rows, now: Rows, last = 3): (string | undefined)[] {
  const kept = keptNext(keptBegin(before, 0, last), now, 0, last);
  const rows = keptRows(kept, now);
  return Array.from({ length: rows.total }, (_, index) => rows.at(index)?.id);
}

describe("rows under the pointer", () => {
  test("change in place", () => {
    const next = { ...b, state: "failed" as const };
    const kept = keptNext(keptBegin(rowsOf(a, b), 0, 1), rowsOf(a, next), 0, 1);
    expect(keptRows(kept, rowsOf(a, next)).at(1)?.state).toBe("failed");
  });

  test("do not make room for new ones, but count them", () => {
    const now = rowsOf(a, b, c);
    const kept = keptNext(keptBegin(rowsOf(b, c), 0, 2), now, 0, 2);
    expect(kept.shift).toBe(1);
    expect(shown(rowsOf(b, c), now)).toEqual(["b", "c"]);
  });

  test("do not leave, even when they no longer belong", () => {
    expect(shown(rowsOf(a, b, c), rowsOf(a, c))).toEqual(expect.arrayContaining(["a", "b"]));
    expect(keptRows(keptBegin(rowsOf(a, b), 0, 1), rowsOf(a)).at(1)).toBe(b);
  });

  test("go on below with what follows them now", () => {
    const kept = keptBegin(rowsOf(b, c), 0, 1);
    const now = rowsOf(a, b, c, d);
    const next = keptNext(kept, now, 0, 2);
    expect(keptRows(next, now).at(2)).toBe(d);
  });

  test("are the same object while nothing changes, or drawing would never end", () => {
    const live = rowsOf(a, b);
    const kept = keptBegin(live, 0, 5);
    expect(keptNext(kept, live, 0, 5)).toBe(kept);
  });

  test("far out of sight are let go", () => {
    const live = rowsOf(a, b);
    expect(keptNext(keptBegin(live, 0, 1), live, 5_000, 5_050).rows.size).toBe(0);
  });
});

test("most rows say by how much the list moved, and one that moved for itself does not", () => {
  expect(
    shiftOf(
      [
        [0, a],
        [1, b],
        [2, c],
      ],
      rowsOf(d, c, a, b),
    ),
  ).toBe(2);
  expect(shiftOf([[0, a]], rowsOf(b))).toBeUndefined();
});

test("the windows around what is in sight are read, and no other", () => {
  expect(windowStarts(0, 40)).toEqual([0]);
  expect(windowStarts(150, 190)).toEqual([0, 200]);
  expect(windowStarts(99_950, 99_999)).toEqual([99_800, 100_000]);
});
