import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { expect, test } from "vitest";
import type { Calibration, Cycle, GaveWay, SchedulerMinutes } from "../api/types";
import { namedOf } from "../queue/queueDocuments";
import { consoleOpen, serverCreate } from "../testing/console";
import { identityOf } from "../testing/documents";
import { FakeEventSource } from "../testing/eventSource";
import { Refused } from "../testing/server";
import { calibrationInWords, curvesOf, minutesInWords, tookInWords } from "./words";

// It would like to measure glyphs, which jsdom cannot.
HTMLCanvasElement.prototype.getContext = () => null;

type Minute = SchedulerMinutes["items"][number];

function minuteOf(given: Partial<Minute> = {}): Minute {
  return {
    at: "2026-03-01T09:00:00Z",
    cycles: 30,
    recorded: 2,
    placed: 4,
    preempted: 1,
    told: 3,
    stale: 0,
    waiting: 5,
    median_ms: 8,
    p99_ms: 40,
    reasons: [
      { reason: "capacity", count: 4 },
      { reason: "quota", count: 1 },
    ],
    ...given,
  };
}

function minutesOf(items: Minute[], step_seconds = 60): SchedulerMinutes {
  return { since: "2026-03-01T08:00:00Z", until: "2026-03-01T10:00:00Z", step_seconds, items };
}

function cycleOf(given: Partial<Cycle> = {}): Cycle {
  return {
    id: 12,
    at: "2026-03-01T09:00:00Z",
    took_ms: 42,
    read_ms: 10,
    decide_ms: 20,
    seed: 0,
    version: "0.1.0",
    digest: "a1b2c3d4e5f6a7b8",
    nodes: 3,
    waiting: 5,
    running: 2,
    placed: 1,
    preempted: 0,
    refused: 5,
    told: 0,
    reserved: 0,
    stale: 0,
    bytes: 1200,
    reasons: [{ reason: "capacity", count: 5 }],
    ...given,
  };
}

const gaveWay: GaveWay = {
  id: 3,
  at: "2026-03-01T09:00:00Z",
  workload: namedOf("sweep", "speech"),
  in_favour_of: namedOf("train"),
  booking: null,
  replicas: 2,
  whole: false,
  justification: "its project uses more than it is guaranteed, and the other less",
  lost_gpu_seconds: 7200,
};

const calibration: Calibration = {
  since: "2026-02-28T09:00:00Z",
  started: 20,
  inside: 17,
  inside_first: 15,
  sooner: { count: 1, median_ms: 60_000, worst_ms: 60_000 },
  later: { count: 2, median_ms: 300_000, worst_ms: 900_000 },
  overdue: 1,
  median_error_ms: 120_000,
  groups: [{ waited: "1h", started: 20, inside: 17 }],
};

function serve(cycles: Cycle[] = [cycleOf()]) {
  return serverCreate()
    .on("GET /api/v1/auth/me", () => identityOf({ administrator: true }))
    .on("GET /api/v1/scheduler/minutes", () => minutesOf([minuteOf()]))
    .on("GET /api/v1/scheduler/preemptions", () => ({ items: [gaveWay], next_cursor: null }))
    .on("GET /api/v1/scheduler/calibration", () => calibration)
    .on("GET /api/v1/scheduler/cycles", () => ({
      items: cycles,
      next_cursor: null,
      kept: {
        cycles: cycles.length,
        bytes: 1200,
        since: null,
        cycles_max: 50_000,
        bytes_max: 2 ** 28,
        hours: 24,
        note: "",
      },
    }));
}

test("an administrator sees what the scheduler did, and it is without fault", async () => {
  serve();
  consoleOpen("/scheduler");
  expect(
    await screen.findByText(/^30 cycles: 8.0 ms at the median, 99 of 100 within 40 ms/),
  ).toBeVisible();
  for (const label of ["Cycles", "Time of a cycle", "Decisions", "Refused, by reason"]) {
    expect(screen.getByRole("figure", { name: label })).toBeVisible();
  }
  const gave = await screen.findByRole("table", { name: "Work that gave way" });
  expect(within(gave).getByText("2 replicas of it")).toBeVisible();
  expect(
    within(gave).getByText("Its project uses more than it is guaranteed, and the other less."),
  ).toBeVisible();
  expect(within(gave).getByText("2 GPU-hours")).toBeVisible();
  expect(screen.getByText(/^85 % of 20 workloads that had to wait/)).toBeVisible();
  const cycles = screen.getByRole("table", { name: "Recorded cycles" });
  expect(within(cycles).getByText("1 placed")).toBeVisible();
  expect(within(cycles).getByText("Capacity in use 5")).toBeVisible();
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false } },
  });
  expect(violations.map(({ id, nodes }) => `${id} ${nodes[0]?.html}`)).toEqual([]);
});

test("a cycle is decided again in place, and downloaded with names or without", async () => {
  const again = {
    id: 12,
    same: true,
    digest: "a1b2c3d4e5f6a7b8",
    recorded_digest: "a1b2c3d4e5f6a7b8",
    difference: "",
    version: "0.1.0",
    replayed_with: "0.1.0",
    took_ms: 18,
  };
  const server = serve().on("POST /api/v1/scheduler/cycles/12/replay", () => again);
  consoleOpen("/scheduler");
  await userEvent.click(await screen.findByRole("button", { name: "Replay cycle 12" }));
  expect(
    await screen.findByText("Decided again in 18 ms: the same plan, a1b2c3d4e5f6."),
  ).toBeVisible();
  server.on("POST /api/v1/scheduler/cycles/12/replay", () => ({
    ...again,
    same: false,
    difference: "placement 1: now there is none.",
    replayed_with: "0.2.0",
  }));
  await userEvent.click(screen.getByRole("button", { name: "Replay cycle 12" }));
  expect(
    await screen.findByText(
      /another plan. placement 1: now there is none. It was first decided by Podium 0.1.0/,
    ),
  ).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Download cycle 12" }));
  const link = await screen.findByRole("menuitem", { name: "Without names" });
  expect(link).toHaveAttribute("href", "/api/v1/scheduler/cycles/12/record?anonymise=true");
});

test("rows stay where they are while the pointer is on them", async () => {
  const cycles = [cycleOf()];
  const server = serve(cycles);
  consoleOpen("/scheduler");
  const table = await screen.findByRole("table", { name: "Recorded cycles" });
  await userEvent.hover(within(table).getByText("1 placed"));
  cycles.unshift(cycleOf({ id: 13 }));
  server.asked.length = 0;
  const line = FakeEventSource.latest("/api/v1/stream");
  act(() => line.open());
  act(() => line.say("resync", {}));
  await waitFor(() => expect(server.last("GET", "/api/v1/scheduler/cycles")).toBeDefined());
  await screen.findByText("2", { selector: "h2 span" });
  expect(within(table).queryByText("13")).toBeNull();
  await userEvent.unhover(table);
  expect(await within(table).findByText("13")).toBeVisible();
});

test("what the server cannot replay is said in the row", async () => {
  serve().on(
    "POST /api/v1/scheduler/cycles/12/replay",
    () => new Refused(429, { detail: "Other cycles are being replayed. Try again in a moment." }),
  );
  consoleOpen("/scheduler");
  await userEvent.click(await screen.findByRole("button", { name: "Replay cycle 12" }));
  expect(await screen.findByText(/Other cycles are being replayed/)).toBeVisible();
});

test("a server that has decided nothing yet says so", async () => {
  serve([])
    .on("GET /api/v1/scheduler/minutes", () => minutesOf([]))
    .on("GET /api/v1/scheduler/preemptions", () => ({ items: [], next_cursor: null }))
    .on("GET /api/v1/scheduler/calibration", () => ({ ...calibration, started: 0, overdue: 0 }));
  consoleOpen("/scheduler");
  expect(await screen.findByText(/No cycle is recorded yet/)).toBeVisible();
  expect(screen.getByText(/Nobody had to give way/)).toBeVisible();
  expect(screen.getByText(/has started yet/)).toBeVisible();
});

test("others find neither the room nor what is in it", async () => {
  serverCreate();
  consoleOpen("/scheduler");
  expect(await screen.findByText("Not yours to see")).toBeVisible();
  const rail = screen.getByRole("navigation", { name: "Rooms" });
  expect(within(rail).queryByText("Scheduler")).toBeNull();
});

test("figures are told by the minute, whatever the step", () => {
  const minutes = minutesOf(
    [
      minuteOf({ cycles: 150, placed: 20 }),
      minuteOf({ at: "2026-03-01T09:05:00Z", cycles: 50, placed: 0, reasons: [] }),
    ],
    300,
  );
  const { cycles, decisions, refusals } = curvesOf(minutes);
  expect(cycles[0]?.points.map(({ value }) => value)).toEqual([30, 10]);
  expect(decisions[0]?.points.map(({ value }) => value)).toEqual([4, 0]);
  expect(refusals.map(({ name, points }) => [name, points.map(({ value }) => value)])).toEqual([
    ["Capacity in use", [4, 0]],
    ["Quota", [1, 0]],
  ]);
  expect(minutesInWords(minutesOf([]))).toBe("No cycle was in this time.");
});

test("words for times and forecasts", () => {
  expect([0.84, 42.4, 3_210].map(tookInWords)).toEqual(["0.8 ms", "42 ms", "3.2 s"]);
  expect(calibrationInWords({ ...calibration, started: 0 })).toBe(
    "Nothing that was told a time in the last day has started yet. 1 workload still waits, later than told.",
  );
});
