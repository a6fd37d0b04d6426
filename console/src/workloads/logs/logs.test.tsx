import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { LogLine } from "../../api/types";
import { consoleOpen, serverCreate } from "../../testing/console";
import { countsOf, detailOf } from "../../testing/documents";
import { FakeEventSource } from "../../testing/eventSource";
import { textAddress } from "./LogToolbar";
import { plain } from "./plain";
import { linesFound, piecesOf, step } from "./search";

function linesOf(...texts: string[]): LogLine[] {
  return texts.map((text) => ({ rank: 0, at: "2026-03-01T09:00:00Z", stream: "out", text }));
}

const three = linesOf("Step 1: loss 2.5", "saved", "step 2: LOSS 2.25");

beforeEach(() => window.localStorage.clear());

function gangOpen(search = "") {
  serverCreate().on("GET /api/v1/workloads/w-1", () =>
    detailOf({ replicas: countsOf({ total: 4, running: 4 }) }),
  );
  consoleOpen(`/workloads/w-1?tab=logs${search}`);
}

async function logSay(lines: LogLine[]) {
  await screen.findByRole("searchbox", { name: "Search the log" });
  const log = FakeEventSource.latest("/logs");
  act(() => {
    log.open();
    log.say("lines", lines);
  });
  await screen.findByRole("log");
}

test("a search counts the lines that have the words, and keys go from one to the next", async () => {
  gangOpen();
  await logSay(three);
  await userEvent.keyboard("f");
  await userEvent.keyboard("loss");
  expect(screen.getByText("2 of 2")).toBeVisible();
  expect([...document.querySelectorAll("mark")].map((each) => each.textContent)).toEqual([
    "loss",
    "LOSS",
  ]);
  await userEvent.keyboard("{Enter}");
  expect(screen.getByText("1 of 2")).toBeVisible();
  act(() => screen.getByRole("log").focus());
  await userEvent.keyboard("n");
  expect(screen.getByText("2 of 2")).toBeVisible();
  await userEvent.keyboard("p");
  expect(screen.getByText("1 of 2")).toBeVisible();
});

test("one replica's log is an address, and the download is of the same one", async () => {
  gangOpen("&rank=2");
  await logSay(three);
  expect(FakeEventSource.latest("/logs").url).toContain("rank=2");
  expect(screen.getByRole("link", { name: "Download the whole log" })).toHaveAttribute(
    "href",
    "/api/v1/workloads/w-1/logs?rank=2&timestamps=true",
  );
  await userEvent.clear(screen.getByRole("textbox", { name: /^Replica, 0 to 3/ }));
  await waitFor(() => expect(window.location.search).toBe("?tab=logs"));
});

test("times and wrapping are switches that are remembered", async () => {
  gangOpen();
  await logSay(three);
  expect(screen.getAllByText("09:00:00")).toHaveLength(3);
  await userEvent.click(screen.getByRole("button", { name: "Show times" }));
  expect(screen.queryByText("09:00:00")).toBeNull();
  expect(window.localStorage.getItem("podium-log-times")).toBe("false");
  expect(screen.getByRole("button", { name: "Wrap long lines" })).toHaveAttribute(
    "aria-pressed",
    "true",
  );
});

test("a log that is opened anew keeps its lines until the new ones are there", async () => {
  gangOpen();
  await logSay(linesOf("first"));
  act(() => FakeEventSource.latest("/logs").lose({ closed: true }));
  expect(screen.getByText("first")).toBeVisible();
  await waitFor(
    () => expect(FakeEventSource.opened.filter(({ url }) => url.includes("/logs"))).toHaveLength(2),
    { timeout: 3_000 },
  );
  expect(screen.getByText("first")).toBeVisible();
  act(() => FakeEventSource.latest("/logs").say("lines", linesOf("again")));
  expect(await screen.findByText("again")).toBeVisible();
  expect(screen.queryByText("first")).toBeNull();
});

test.each([
  ["\u001b[32mok\u001b[0m", "ok"],
  ["10%\r50%\r100%", "100%"],
  ["done\r", "done"],
  ["[1] a", "[1] a"],
])("%j stands as %s", (text, words) => {
  expect(plain(text)).toBe(words);
});

test("a line is cut where the words are", () => {
  expect(piecesOf("aXbxc", "x").map(({ text }) => text)).toEqual(["a", "X", "b", "x", "c"]);
  expect(piecesOf("abc", "")).toEqual([{ text: "abc", found: false }]);
  expect(piecesOf("xx", "x").every(({ found }) => found)).toBe(true);
});

test("from the last line found the next is the first", () => {
  const found = linesFound(three, "step");
  expect(found).toEqual([three[0], three[2]]);
  expect(step(found, found[1] ?? null, 1)).toBe(three[0]);
  expect(step(found, null, 1)).toBe(three[2]);
  expect(step([], null, 1)).toBeNull();
});

test("the whole log without times has no search in its address", () => {
  expect(textAddress("w-1", null, false)).toBe("/api/v1/workloads/w-1/logs");
});
