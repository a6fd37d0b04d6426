import { describe, expect, test } from "vitest";
import type { Workload } from "../api/types";
import { detailOf, eventOf, pageOf, workloadOf } from "../testing/documents";
import { detailChanged, eventsChanged, listChanged, newest, type WorkloadPages } from "./changes";
import type { WorkloadFilters } from "./filters";

const a = workloadOf({ id: "w-a", submitted_at: "2026-03-01T09:03:00Z" });
const b = workloadOf({ id: "w-b", submitted_at: "2026-03-01T09:02:00Z" });
const c = workloadOf({ id: "w-c", submitted_at: "2026-03-01T09:01:00Z" });

function pagesOf(...pages: Workload[][]): WorkloadPages {
  return {
    pages: pages.map((items, at) => pageOf(items, at < pages.length - 1 ? "more" : null)),
    pageParams: pages.map(() => ""),
  };
}

function changed(pages: WorkloadPages, next: Workload, filters: WorkloadFilters = {}) {
  return listChanged(pages, new Map([[next.id, next]]), filters);
}

function ids(pages: WorkloadPages): string[] {
  return pages.pages.flatMap((page) => page.items.map((item) => item.id));
}

describe("a list", () => {
  test("shows a change in the row's place and leaves other pages as they are", () => {
    const before = pagesOf([a], [b]);
    const after = changed(before, { ...b, state: "failed", version: 2 });
    expect(ids(after)).toEqual(["w-a", "w-b"]);
    expect(after.pages[1]?.items[0]?.state).toBe("failed");
    expect(after.pages[0]).toBe(before.pages[0]);
  });

  test("keeps what it has when an older version comes late", () => {
    const after = changed(pagesOf([{ ...a, version: 3 }]), { ...a, state: "queued", version: 2 });
    expect(after.pages[0]?.items[0]?.version).toBe(3);
  });

  test("lets a row go that no longer matches its filters", () => {
    const next: Workload = { ...a, state: "succeeded", version: 2 };
    expect(ids(changed(pagesOf([a, b]), next, { state: ["running"] }))).toEqual(["w-b"]);
  });

  test("takes in what is new, where its time puts it", () => {
    expect(ids(changed(pagesOf([b, c]), a))).toEqual(["w-a", "w-b", "w-c"]);
    expect(ids(changed(pagesOf([a, c]), b))).toEqual(["w-a", "w-b", "w-c"]);
    expect(ids(changed(pagesOf([b]), a, { project: ["speech"] }))).toEqual(["w-b"]);
  });

  test("oldest first, takes in what is new at its end, once that was read", () => {
    expect(ids(changed(pagesOf([c], [b]), a, { order: "oldest" }))).toEqual(["w-c", "w-b", "w-a"]);
    const unread: WorkloadPages = { pages: [pageOf([c], "more")], pageParams: [""] };
    expect(ids(changed(unread, a, { order: "oldest" }))).toEqual(["w-c"]);
  });

  test("leaves out what belongs to a page that is not loaded yet", () => {
    const before: WorkloadPages = { pages: [pageOf([a, b], "more")], pageParams: [""] };
    expect(ids(changed(before, c))).toEqual(["w-a", "w-b"]);
  });
});

test("of several changes to one workload the newest counts", () => {
  const found = newest([
    { event: eventOf({ seq: 2 }), workload: { ...a, version: 2 } },
    { event: eventOf({ seq: 1 }), workload: { ...a, version: 1 } },
  ]);
  expect(found.get("w-a")?.version).toBe(2);
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
