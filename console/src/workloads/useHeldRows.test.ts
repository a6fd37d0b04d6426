import { describe, expect, test } from "vitest";
import { workloadOf } from "../testing/documents";
import { heldRows } from "./useHeldRows";

const [a, b, c] = ["a", "b", "c"].map((id) => workloadOf({ id })) as [
  ReturnType<typeof workloadOf>,
  ReturnType<typeof workloadOf>,
  ReturnType<typeof workloadOf>,
];

describe("rows under the pointer", () => {
  test("change in place", () => {
    const next = { ...b, state: "failed" as const };
    expect(heldRows([a, b], [a, next]).rows).toEqual([a, next]);
  });

  test("do not make room for new ones, but count them", () => {
    expect(heldRows([b, c], [a, b, c])).toEqual({ rows: [b, c], waiting: 1 });
  });

  test("do not leave, even when they no longer belong", () => {
    expect(heldRows([a, b, c], [a, c]).rows).toEqual([a, b, c]);
  });

  test("get company below when more is loaded", () => {
    expect(heldRows([a, b], [a, b, c])).toEqual({ rows: [a, b, c], waiting: 0 });
  });
});
