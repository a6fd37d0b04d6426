import { expect, test } from "vitest";
import { searchParse, searchText } from "../frame/search";
import { workloadOf } from "../testing/documents";
import { filtersRead, matches } from "./filters";

test("filters survive the way into the address and back", () => {
  const filters = filtersRead({ project: ["vision"], state: ["queued", "running"], q: "a b&c" });
  const address = searchText(filters);
  expect(address).toBe("?project=vision&state=queued&state=running&q=a+b%26c");
  expect(filtersRead(searchParse(address))).toEqual(filters);
});

test("what an address says wrongly is left out", () => {
  expect(filtersRead({ state: ["lost", "failed"], kind: "poem", q: "", project: 3 })).toEqual({
    state: ["failed"],
  });
});

test.each([
  [{}, true],
  [{ project: ["vision"], kind: ["training" as const] }, true],
  [{ q: "TRA" }, true],
  [{ q: "W-" }, true],
  [{ q: "other" }, false],
  [{ state: ["queued" as const] }, false],
  [{ project: ["speech"] }, false],
])("%j matches: %s", (filters, expected) => {
  expect(matches(workloadOf(), filters)).toBe(expected);
});
