import { act, configure, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { consoleOpen, serverCreate } from "../../testing/console";
import { countsOf, detailOf } from "../../testing/documents";
import { FakeEventSource } from "../../testing/eventSource";
import { bareOf } from "./ansi";
import { columnsOf } from "./columns";
import { Heights } from "./heights";
import { LINES_MAX, LogBuffer, lineHeld, type SentLine } from "./lines";
import { logAddress } from "./queries";
import { ranksInWords, ranksRead, ranksWritten } from "./ranks";
import { joined, linesFound, piecesOf, step } from "./search";
import { inOrder } from "./session";

const START_MS = Date.parse("2026-03-01T09:00:00Z");

function linesOf(...texts: string[]): SentLine[] {
  return texts.map((text, at) => lineOf(at, { text }));
}

function lineOf(at: number, given: Partial<SentLine> = {}): SentLine {
  return {
    rank: 0,
    at: new Date(START_MS + at).toISOString(),
    stream: "out",
    text: `line ${at}`,
    attempt: 1,
    offset: at * 10,
    ...given,
  };
}

const three = linesOf("Step 1: loss 2.5", "saved", "step 2: LOSS 2.25");
const LINES = "GET /api/v1/workloads/w-1/logs/lines";

// Whole pages are drawn, on machines that have other work, too.
configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 30_000 });
beforeEach(() => window.localStorage.clear());

function gangOpen(search = "", given = {}) {
  const server = serverCreate().on("GET /api/v1/workloads/w-1", () =>
    detailOf({ replicas: countsOf({ total: 4, running: 4 }), ...given }),
  );
  consoleOpen(`/workloads/w-1?tab=logs${search}`);
  return server;
}

async function logSay(lines: SentLine[], older: string | null = null) {
  await screen.findByRole("searchbox", { name: "Search the log" });
  const log = FakeEventSource.latest("/logs");
  act(() => {
    log.open();
    log.say("begin", { older });
    log.say("lines", lines, "0.1@99");
  });
  await screen.findByRole("log");
}

test("a search counts the lines that have the words, and keys go from one to the next", async () => {
  const server = gangOpen();
  await logSay(three);
  await userEvent.keyboard("f");
  await userEvent.keyboard("loss");
  expect(await screen.findByText("2 of 2")).toBeVisible();
  expect([...document.querySelectorAll("mark")].map((each) => each.textContent)).toEqual([
    "loss",
    "LOSS",
  ]);
  await userEvent.keyboard("{Enter}");
  expect(screen.getByText("1 of 2")).toBeVisible();
  act(() => screen.getByRole("log").focus());
  await userEvent.keyboard("n");
  expect(screen.getByText("2 of 2")).toBeVisible();
  await userEvent.keyboard("N");
  expect(screen.getByText("1 of 2")).toBeVisible();
  await waitFor(() => expect(window.location.search).toContain("find=loss"));
  // All of the log was here already.
  expect(server.last("GET", "/api/v1/workloads/w-1/logs/lines")).toBeUndefined();
});

test("after a search, the way back to the end says how much is new", async () => {
  gangOpen();
  await logSay(three);
  expect(screen.queryByRole("button", { name: /^Jump to latest/ })).toBeNull();
  await userEvent.keyboard("f");
  await userEvent.keyboard("loss{Enter}");
  const back = await screen.findByRole("button", { name: "Jump to latest" });
  act(() => FakeEventSource.latest("/logs").say("lines", [lineOf(90), lineOf(91)], "0.1@120"));
  await waitFor(() => expect(back).toHaveTextContent("Jump to latest · 2 new"));
  await userEvent.click(back);
  expect(screen.queryByRole("button", { name: /^Jump to latest/ })).toBeNull();
});

test("what is not here is searched by the server, and gone to where it is", async () => {
  const server = gangOpen().on(LINES, (request) => {
    const asked = new URL(request.url).searchParams;
    const around = asked.get("around") !== null;
    return {
      items: around
        ? linesOf("long ago", "the loss of old", "and on")
        : [lineOf(1, { text: "the loss of old" })],
      older: null,
      newer: "0.1@30",
      at_end: false,
      searched_bytes: 4096,
    };
  });
  await logSay([lineOf(500, { text: "loss 9" })], "0.1@5000");
  await userEvent.type(screen.getByRole("searchbox", { name: "Search the log" }), "loss");
  expect(await screen.findByText("2 of 2", undefined, { timeout: 3_000 })).toBeVisible();
  expect(
    new URL(server.last("GET", "/api/v1/workloads/w-1/logs/lines")?.url ?? "").searchParams.get(
      "q",
    ),
  ).toBe("loss");
  await userEvent.keyboard("{Enter}");
  expect(await screen.findByText("long ago")).toBeVisible();
  expect(screen.getByText("1 of 2")).toBeVisible();
  expect(screen.getByText(/A part of the log/)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: /^Jump to latest/ }));
  expect(FakeEventSource.latest("/logs").url).toContain("last=");
});

test("some replicas' log is an address, and the download is of the same ones", async () => {
  gangOpen("&rank=2&rank=3");
  await logSay(three);
  expect(FakeEventSource.latest("/logs").url).toContain("rank=2&rank=3");
  expect(screen.getByRole("link", { name: "Download the whole log" })).toHaveAttribute(
    "href",
    "/api/v1/workloads/w-1/logs?rank=2&rank=3&timestamps=true",
  );
  await userEvent.click(screen.getByRole("button", { name: "Whose log: 2 of 4 replicas" }));
  const field = await screen.findByRole("textbox", { name: "Ranks, 0 to 3" });
  await userEvent.clear(field);
  await userEvent.type(field, "9");
  expect(screen.getByText("Write the ranks of replicas, such as 0-3, 7.")).toBeVisible();
  await userEvent.clear(field);
  await userEvent.type(field, "1{Enter}");
  await waitFor(() => expect(window.location.search).toBe("?tab=logs&rank=1"));
  expect(FakeEventSource.latest("/logs").url).toContain("rank=1&");
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

test("a log that was lost goes on where it was, and one that begins anew starts over", async () => {
  gangOpen();
  await logSay(linesOf("first"));
  act(() => FakeEventSource.latest("/logs").lose({ closed: true }));
  expect(screen.getByText("first")).toBeVisible();
  expect(await screen.findByText(/Nothing will be missing/)).toBeVisible();
  const opened = () => FakeEventSource.opened.filter(({ url }) => url.includes("/logs"));
  await waitFor(() => expect(opened()).toHaveLength(2), { timeout: 3_000 });
  expect(opened()[1]?.url).toContain(`after=${encodeURIComponent("0.1@99")}`);
  act(() => FakeEventSource.latest("/logs").say("lines", [lineOf(7, { text: "second" })]));
  expect(await screen.findByText("second")).toBeVisible();
  expect(screen.getByText("first")).toBeVisible();
  act(() => {
    FakeEventSource.latest("/logs").say("begin", { older: null });
    FakeEventSource.latest("/logs").say("lines", linesOf("again"));
  });
  expect(await screen.findByText("again")).toBeVisible();
  expect(screen.queryByText("first")).toBeNull();
});

test("an address of a line shows it with what is around", async () => {
  gangOpen("&line=0.1@10").on(LINES, () => ({
    items: linesOf("before", "here", "after"),
    older: null,
    newer: "0.1@30",
    at_end: true,
    searched_bytes: 0,
  }));
  expect((await screen.findByText("here")).closest("[data-chosen]")).not.toBeNull();
  // The end is among them, so what follows is followed.
  expect(FakeEventSource.latest("/logs").url).toContain(`after=${encodeURIComponent("0.1@30")}`);
});

test("an earlier attempt has its log", async () => {
  const server = gangOpen("", { attempt: 3 }).on(LINES, () => ({
    items: linesOf("it failed because"),
    older: null,
    newer: "0.1@10",
    at_end: true,
    searched_bytes: 0,
  }));
  await logSay(three);
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Attempt" }), "2");
  expect(await screen.findByText("it failed because")).toBeVisible();
  expect(server.last("GET", "/api/v1/workloads/w-1/logs/lines")?.url).toContain("attempt=2");
});

test("a log that cannot be read says so and tries again", async () => {
  const server = gangOpen("&line=0.1@10");
  expect(await screen.findByText("Not there.")).toBeVisible();
  server.on(LINES, () => ({
    items: linesOf("before", "here"),
    older: null,
    newer: "",
    at_end: true,
    searched_bytes: 0,
  }));
  await userEvent.click(within(screen.getByRole("alert")).getByRole("button"));
  expect(await screen.findByText("here")).toBeVisible();
});

test.each([
  ["\u001b[32mok\u001b[0m", "ok"],
  ["10%\r50%\r100%", "100%"],
  ["done\r", "done"],
  ["[1] a", "[1] a"],
  ["\u001b]8;;https://x\u0007link\u001b]8;;\u0007", "link"],
  ["a\u0000b\u0007", "ab"],
  ["\u001b[2K\u001b[1Gagain", "again"],
])("%j stands as %s", (text, words) => {
  expect(bareOf(text).text).toBe(words);
});

test("colours become spans over the bare text", () => {
  expect(bareOf("a \u001b[1;31mred\u001b[22m thin\u001b[0m b").spans).toEqual([
    { from: 2, to: 5, bold: true, fg: 1 },
    { from: 5, to: 10, fg: 1 },
  ]);
  expect(bareOf("\u001b[38;5;196mx").spans).toEqual([{ from: 0, to: 1, fg: 9 }]);
  expect(bareOf("\u001b[38;2;20;160;20;4mx").spans).toEqual([
    { from: 0, to: 1, fg: 2, underline: true },
  ]);
  expect(bareOf("\u001b[48;5;250mx\u001b[49my").spans).toEqual([{ from: 0, to: 1, bg: 7 }]);
});

test("a line is cut where the words and where the colours are", () => {
  expect(piecesOf("aXbxc", "x").map(({ text }) => text)).toEqual(["a", "X", "b", "x", "c"]);
  expect(piecesOf("abc", "")).toEqual([{ text: "abc", found: false, span: null }]);
  expect(piecesOf("xx", "x").every(({ found }) => found)).toBe(true);
  const span = { from: 1, to: 3, fg: 1 };
  expect(piecesOf("abcdef", "cd", [span])).toEqual([
    { text: "a", found: false, span: null },
    { text: "b", found: false, span },
    { text: "c", found: true, span },
    { text: "d", found: true, span: null },
    { text: "ef", found: false, span: null },
  ]);
});

test("from the last line found the next is the first", () => {
  const held = three.map(lineHeld);
  const found = linesFound(held, "step");
  expect(found).toEqual([held[0], held[2]]);
  expect(step(found, found[1] ?? null, 1)).toBe(held[0]);
  expect(step(found, null, 1)).toBe(held[2]);
  expect(step([], null, 1)).toBeNull();
  expect(joined([found[1] as never], found, inOrder)).toEqual(found);
});

test("what is held is bounded at either end, and lines keep their numbers", () => {
  const buffer = new LogBuffer();
  const many = Array.from({ length: LINES_MAX }, (_, at) => lineHeld(lineOf(at)));
  expect(buffer.append(many)).toBe(0);
  const tenth = buffer.lines[10];
  expect(buffer.append([lineHeld(lineOf(LINES_MAX))])).toBeGreaterThan(0);
  expect(buffer.lines.length).toBeLessThanOrEqual(LINES_MAX);
  expect(buffer.lines[0]?.offset).toBe(buffer.first * 10);
  const before = many.slice(0, buffer.first);
  expect(buffer.prepend(before)).toBe(1);
  expect(buffer.lines[10 - buffer.first]).toBe(tenth);
});

test("heights are reckoned by columns, and corrected by the screen", () => {
  const buffer = new LogBuffer();
  const heights = new Heights();
  buffer.append(["x".repeat(25), "", "y"].map((text, at) => lineHeld(lineOf(at, { text }))));
  heights.follow(buffer, 10);
  expect([0, 1, 2, 3].map((at) => heights.top(at))).toEqual([0, 3, 4, 5]);
  expect([0, 2, 3, 4, 9].map((row) => heights.at(row))).toEqual([0, 0, 1, 2, 2]);
  expect(heights.correct(1, 2)).toBe(true);
  expect(heights.correct(1, 2)).toBe(false);
  buffer.prepend([lineHeld(lineOf(-1, { text: "z".repeat(11) }))]);
  heights.follow(buffer, 10);
  expect([0, 1, 2, 3, 4].map((at) => heights.top(at))).toEqual([0, 2, 5, 7, 8]);
  heights.follow(buffer, 0);
  expect(heights.rows).toBe(4);
});

test("letters take the columns that a terminal gives them", () => {
  expect([..."a\u0301"].length).toBe(2);
  expect(["abc", "a\u0301", "日本", "\tx", "ab\tx"].map(columnsOf)).toEqual([3, 1, 4, 9, 9]);
});

test("ranks are read and written as people do", () => {
  expect(ranksRead("0-2, 7", 8, 256)).toEqual([0, 1, 2, 7]);
  expect(ranksRead("", 8, 256)).toEqual([]);
  expect(ranksRead("8", 8, 256)).toBeNull();
  expect(ranksRead("3-1", 8, 256)).toBeNull();
  expect(ranksRead("0-9999", 10_000, 256)).toHaveLength(256);
  expect(ranksWritten([0, 1, 2, 7])).toBe("0-2, 7");
  expect(ranksInWords([9, 4, 3, 0])).toBe("0, 3, 4, 9");
});

test("the whole log without times has no search in its address", () => {
  expect(logAddress({ id: "w-1", ranks: [], attempt: null })).toBe("/api/v1/workloads/w-1/logs");
});
