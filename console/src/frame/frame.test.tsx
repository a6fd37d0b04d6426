import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ProblemError } from "../api/problem";
import { DISCONNECTED_AFTER_MS } from "../stream/stream";
import { consoleOpen, serverCreate } from "../testing/console";
import {
  detailOf,
  eventOf,
  identityOf,
  operate,
  pageOf,
  projectOf,
  workloadOf,
} from "../testing/documents";
import { FakeEventSource } from "../testing/eventSource";
import { Refused } from "../testing/server";
import { isChunkLost } from "./PageFailure";

test("rooms are there by what people want to do, and no others", async () => {
  serverCreate();
  consoleOpen("/account");
  const rail = await screen.findByRole("navigation", { name: "Rooms" });
  const names = [...rail.querySelectorAll("a")].map((each) => each.title);
  expect(names).toEqual([
    "Podium",
    "New workload (c)",
    "Overview",
    "Workloads",
    "Queue",
    "Nodes and GPUs",
    "Governance",
    "People and access",
  ]);
});

test("administrators have rooms of their own", async () => {
  serverCreate().on("GET /api/v1/auth/me", () => identityOf({ administrator: true }));
  consoleOpen("/account");
  const rail = await screen.findByRole("navigation", { name: "Rooms" });
  expect(within(rail).getByRole("link", { name: "Scheduler" })).toBeVisible();
});

test("the rail folds by its key and stays so", async () => {
  localStorage.removeItem("podium-rail");
  serverCreate();
  consoleOpen("/account");
  const rail = await screen.findByRole("navigation", { name: "Rooms" });
  await userEvent.keyboard("[[");
  expect(rail.parentElement).toHaveAttribute("data-rail", "collapsed");
  expect(localStorage.getItem("podium-rail")).toBe("collapsed");
  await userEvent.keyboard("[[");
  expect(rail.parentElement).toHaveAttribute("data-rail", "open");
});

test("a server that is not heard for long is said over the page, with the time it is as of", async () => {
  serverCreate();
  consoleOpen("/account");
  await screen.findByRole("heading", { level: 1, name: "Account" });
  vi.useFakeTimers({ now: Date.parse("2026-03-01T09:30:00Z") });
  try {
    const line = FakeEventSource.latest("/api/v1/stream");
    act(() => line.open());
    act(() => line.lose());
    act(() => void vi.advanceTimersByTime(DISCONNECTED_AFTER_MS + 1_000));
    expect(screen.getByText(/What you see is as of/)).toHaveTextContent("as of 09:30:00");
    expect(screen.getByRole("heading", { level: 1, name: "Account" })).toBeVisible();
    act(() => screen.getByRole("button", { name: "Try now" }).click());
    act(() => FakeEventSource.latest("/api/v1/stream").open());
    expect(screen.queryByText(/What you see is as of/)).toBeNull();
  } finally {
    vi.useRealTimers();
  }
});

test("a page that breaks says so in its place, and the rail goes on", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  // A document that no page can read.
  serverCreate().on("GET /api/v1/tokens", () => ({ items: [null] }));
  consoleOpen("/account");
  expect(await screen.findByText("This page stopped working")).toBeVisible();
  expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
  await userEvent.click(screen.getByRole("link", { name: "Nodes and GPUs" }));
  expect(await screen.findByRole("heading", { level: 1, name: /Nodes and GPUs/ })).toBeVisible();
});

test.each([
  ["Failed to fetch dynamically imported module: http://x/assets/QueuePage-1.js", true],
  ["error loading dynamically imported module", true],
  ["Importing a module script failed.", true],
  ["Cannot read properties of null", false],
])("%s: lost chunk %s", (message, lost) => {
  expect(isChunkLost(new TypeError(message))).toBe(lost);
  expect(isChunkLost(new ProblemError(404, {}))).toBe(false);
});

test("what one may not see is said as such, with the way to it", async () => {
  serverCreate().on("GET /api/v1/tokens", () => new Refused(403, { detail: "Not for viewers." }));
  consoleOpen("/account");
  const said = await screen.findAllByText(/Not for viewers. A lead of the project/);
  expect(said[0]).toBeVisible();
  expect(screen.getAllByText("Not yours to see")).toHaveLength(said.length);
});

test("who has no role sees who they are and whom to ask, and nothing is asked for", async () => {
  let letIn = false;
  const server = serverCreate().on("GET /api/v1/auth/me", () =>
    identityOf(letIn ? {} : { roles: {} }),
  );
  consoleOpen("/workloads");
  expect(
    await screen.findByRole("heading", { level: 1, name: "Nobody has let you in yet" }),
  ).toBeVisible();
  expect(screen.getByText(/signed in as ana/)).toBeVisible();
  expect(screen.queryByRole("navigation")).toBeNull();
  expect(new Set(server.asked.map((each) => new URL(each.url).pathname))).toEqual(
    new Set(["/api/v1/auth/me"]),
  );
  letIn = true;
  await userEvent.click(screen.getByRole("button", { name: "Look again" }));
  expect(await screen.findByRole("heading", { level: 1, name: /Workloads/ })).toBeVisible();
});

test("operators have the rooms that their role includes", async () => {
  serverCreate().on("GET /api/v1/auth/me", () => identityOf({ roles: {}, everywhere: operate }));
  consoleOpen("/account");
  const rail = await screen.findByRole("navigation", { name: "Rooms" });
  expect(within(rail).getByRole("link", { name: "Scheduler" })).toBeVisible();
});

test("who may submit nowhere is told whom to ask, and offered nothing that fails", async () => {
  serverCreate().on("GET /api/v1/auth/me", () => identityOf({ roles: { vision: "viewer" } }));
  consoleOpen("/workloads");
  expect(await screen.findByText("Nothing to see yet")).toBeVisible();
  expect(screen.queryByRole("button", { name: /Run hello/ })).toBeNull();
});

test("the first run submits the example to a project of one's own and shows its log", async () => {
  const server = serverCreate()
    .on("GET /api/v1/auth/me", () => identityOf({ roles: { speech: "developer", vision: "lead" } }))
    .on("GET /api/v1/projects", () => pageOf([projectOf("speech"), projectOf("vision")]))
    .on("POST /api/v1/workloads", () => ({ ...workloadOf(), created: true }))
    .on("GET /api/v1/workloads/w-1", () => detailOf())
    .on("GET /api/v1/workloads/w-1/events", () => pageOf([eventOf()]));
  consoleOpen("/workloads");
  await screen.findByRole("heading", { name: "Run your first workload" });
  await screen.findByRole("button", { name: /Project/ });
  expect(screen.getByRole("link", { name: "Begin in the form" })).toHaveAttribute(
    "href",
    "/submit?example=hello",
  );
  await userEvent.click(screen.getByRole("button", { name: "Run hello-gpu now" }));
  await waitFor(() => expect(window.location.pathname).toBe("/workloads/w-1"));
  expect(window.location.search).toBe("?tab=logs");
  expect(await server.last("POST", "/api/v1/workloads")?.json()).toMatchObject({
    name: "hello-gpu",
    project: "speech",
  });
});
