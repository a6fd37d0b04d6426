import { describe, expect, test } from "vitest";
import type { Workload } from "../api/types";
import { detailOf, eventOf, pageOf, workloadOf } from "../testing/documents";
import {
  detailChanged,
  eventsChanged,
  newest,
  rowsMove,
  submitted,
  windowChanged,
} from "./changes";
import type { WorkloadFilters } from "./filters";
import { windowMerged } from "./windows";

const a = workloadOf({ id: "w-a", submitted_at: "2026-03-01T09:03:00Z" });
const b = workloadOf({ id: "w-b", submitted_at: "2026-03-01T09:02:00Z" });

function windowOf(...items: Workload[]) {
  return { items, next_cursor: null, total: items.length };
}

describe("a window of the list", () => {
  test("shows a change in the row's place and leaves the other rows as they are", () => {
    const next: Workload = { ...b, state: "failed", version: 2 };
    const after = windowChanged(windowOf(a, b), new Map([["w-b", next]]));
    expect(after.items).toEqual([a, next]);
    expect(after.items[0]).toBe(a);
  });

  test("keeps what it has when an older version comes late", () => {
    const before = windowOf({ ...a, version: 3 });
    expect(windowChanged(before, new Map([["w-a", { ...a, version: 2 }]]))).toBe(before);
  });

  test("is not set back by an answer that was on its way", () => {
    const held = windowOf({ ...a, version: 3, state: "failed" }, b);
    const merged = windowMerged(held, windowOf({ ...a, version: 2 }, { ...b }));
    expect(merged.items[0]?.state).toBe("failed");
    expect(merged.items[1]).toBe(b);
  });
});

describe("rows move, so that the list is read again,", () => {
  const moves = (next: Workload, filters: WorkloadFilters = {}, fresh: string[] = []) =>
    rowsMove(new Map([["w-a", a]]), new Map([[next.id, next]]), new Set(fresh), filters);
  const ended: Workload = { ...a, state: "succeeded", version: 2 };

  test.each<[string, boolean]>([
    ["when one no longer matches", moves(ended, { state: ["running"] })],
    ["when what it is sorted by changed", moves(ended, { sort: "state" })],
    ["when a new one matches", moves(b, {}, ["w-b"])],
    ["when one elsewhere may have entered or left", moves(b, { state: ["running"] })],
  ])("%s", (_, found) => expect(found).toBe(true));

  test.each<[string, boolean]>([
    ["one changes in its place", moves(ended)],
    ["the change is known already", moves({ ...ended, version: 1 }, { state: ["queued"] })],
    ["one far away changes", moves(b)],
    ["a new one is of another project", moves(b, { project: ["speech"] }, ["w-b"])],
    ["one of another person changes", moves(b, { owner: "ben", state: ["running"] })],
  ])("and not when %s", (_, found) => expect(found).toBe(false));
});

test("of several changes to one workload the newest counts", () => {
  const found = newest([
    { event: eventOf({ seq: 2 }), workload: { ...a, version: 2 } },
    { event: eventOf({ seq: 1 }), workload: { ...a, version: 1 } },
  ]);
  expect(found.get("w-a")?.version).toBe(2);
});

test("what was just submitted is new, even if more happened to it at once", () => {
  const found = submitted([
    { event: eventOf({ seq: 1, cause: "submitted" }), workload: a },
    { event: eventOf({ seq: 2, cause: "placed" }), workload: { ...a, version: 2 } },
    { event: eventOf({ seq: 3, cause: "started" }), workload: b },
  ]);
  expect([...found]).toEqual(["w-a"]);
});

test("an opened workload keeps its spec while its state changes", () => {
  const next = detailChanged(detailOf(), workloadOf({ state: "stopping", version: 2 }));
  expect(next.state).toBe("stopping");
  expect(next.resolved_spec).toEqual({ name: "train" });
});

test("history grows by what is later than its last line, once its end was read", () => {
  const pages = (next: string | null) => ({
    pages: [pageOf([eventOf({ seq: 5 })], next)],
    pageParams: [""],
  });
  const read = pages(null);
  expect(eventsChanged(read, eventOf({ seq: 5 }))).toBe(read);
  expect(eventsChanged(read, eventOf({ seq: 6 })).pages[0]?.items).toHaveLength(2);
  const unread = pages("more");
  expect(eventsChanged(unread, eventOf({ seq: 6 }))).toBe(unread);
});
