import { expect, test } from "vitest";
import { searchParse, searchText } from "../frame/search";
import { workloadOf } from "../testing/documents";
import { columnsRead, columnsText, usualColumns } from "./columns";
import { filtersRead, listed, matches, selectionQuery } from "./filters";
import { sinceInWords, sinceIso } from "./since";

test("filters survive the way into the address and back", () => {
  const filters = filtersRead({
    project: ["vision"],
    state: ["queued", "running"],
    label: ["team=a"],
    reason: "capacity",
    node: "gpu-1",
    ended_since: "today",
    q: "a b&c",
    sort: "name",
    order: "down",
    columns: "state name gpus",
  });
  const address = searchText(filters);
  expect(address).toBe(
    "?project=vision&state=queued&state=running&label=team%3Da&reason=capacity&node=gpu-1&ended_since=today&q=a+b%26c&sort=name&order=down&columns=state+name+gpus",
  );
  expect(filtersRead(searchParse(address))).toEqual(filters);
});

test("what an address says wrongly, or as it is anyway, is left out", () => {
  expect(
    filtersRead({
      state: ["lost", "failed"],
      kind: "poem",
      q: "",
      project: 3,
      ended_since: "soon",
    }),
  ).toEqual({ state: ["failed"] });
  expect(filtersRead({ sort: "submitted", order: "newest" })).toEqual({});
  expect(filtersRead({ order: "oldest" })).toEqual({ order: "up" });
  expect(filtersRead({ sort: "name", order: "up" })).toEqual({ sort: "name" });
});

test("columns and the open view do not make another list", () => {
  expect(listed({ q: "a", columns: "name", view: "Mine" })).toEqual({ q: "a" });
});

test.each([
  [{}, true],
  [{ project: ["vision"], kind: ["training" as const] }, true],
  [{ q: "TRA" }, true],
  [{ q: "W-" }, true],
  [{ q: "other" }, false],
  [{ state: ["queued" as const] }, false],
  [{ project: ["speech"] }, false],
  [{ owner: "ana" }, true],
  [{ owner: "ben" }, false],
  [{ label: ["tier=gold"] }, true],
  [{ label: ["tier=gold", "a=b"] }, false],
  [{ reason: ["capacity" as const] }, false],
  [{ ended_since: "2026-03-01T10:00:00Z" }, true],
  [{ ended_since: "2026-03-01T12:00:00Z" }, false],
])("%j matches: %s", (filters, expected) => {
  const workload = workloadOf({ labels: { tier: "gold" }, ended_at: "2026-03-01T11:00:00Z" });
  expect(matches(workload, filters)).toBe(expected);
});

test("times that move with the clock are fixed when they are asked for", () => {
  const now = Date.parse("2026-03-01T09:30:12Z");
  expect(sinceIso("today", now)).toBe("2026-03-01T00:00:00.000Z");
  expect(sinceIso("24h", now)).toBe("2026-02-28T09:30:00.000Z");
  expect(sinceIso("2026-03-01T09:00:00Z", now)).toBe("2026-03-01T09:00:00.000Z");
  expect(sinceInWords("7d")).toBe("in the last 7 d");
  expect(selectionQuery({ q: "a", sort: "name" })).toEqual({ q: "a" });
});

test("columns are those of the address, with the name in any case", () => {
  expect(columnsRead(undefined)).toEqual(usualColumns);
  expect(columnsRead("gpus nonsense gpus owner")).toEqual(["name", "gpus", "owner"]);
  expect(columnsText(usualColumns)).toBeUndefined();
  expect(columnsText(["name", "id"])).toBe("name id");
});
