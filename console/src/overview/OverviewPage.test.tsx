import { act, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, test } from "vitest";
import type { Overview } from "../api/types";
import { statusSet } from "../stream/status";
import { consoleOpen, serverCreate } from "../testing/console";
import { eventOf, identityOf, overviewOf, pageOf, workloadOf } from "../testing/documents";
import { FakeEventSource } from "../testing/eventSource";
import { Refused } from "../testing/server";

const HOUR_MS = 3_600_000;
const START = Date.parse("2026-03-01T09:00:00Z");

function busy(given: Partial<Overview> = {}): Overview {
  return overviewOf({
    at: new Date().toISOString(),
    gpus: [
      {
        type: "H100",
        virtual: false,
        devices: 8,
        unhealthy: 1,
        held_milli: 5500,
        busy_milli: 3000,
        idle_devices: 1,
      },
      {
        type: "A100",
        virtual: true,
        devices: 4,
        unhealthy: 0,
        held_milli: 4000,
        busy_milli: null,
        idle_devices: 0,
      },
    ],
    workloads: { running: 14, queued: 5, starting: 1, failed: 2 },
    queue: {
      waiting: 5,
      wait_seconds_median: 720,
      wait_seconds_max: 10_920,
      gpu_milli_wanted: 18_000,
      reasons: [
        { reason: "capacity", count: 4, example: "Needs 8 H100; 2 are free." },
        { reason: "quota", count: 1, example: "The team has used its quota." },
      ],
    },
    nodes: { ready: 3, cordoned: 1, lost: 1, unhealthy_devices: 1 },
    failed_last_day: 2,
    failed: [
      workloadOf({
        id: "f-1",
        name: "eval-7b",
        state: "failed",
        message: "Ended with exit code 1.",
        ended_at: "2026-03-01T08:00:00Z",
      }),
    ],
    finishing: [
      {
        workload: workloadOf({ id: "s-1", name: "tune" }),
        by: new Date(Date.now() + HOUR_MS).toISOString(),
      },
    ],
    gpu_hours: {
      today_gpu_seconds: 36_000,
      yesterday_gpu_seconds: 90_000,
      yesterday_so_far_gpu_seconds: 32_000,
      hours: Array.from({ length: 48 }, (_, at) => ({
        start: new Date(START - (47 - at) * HOUR_MS).toISOString(),
        gpu_seconds: at * 100,
      })),
    },
    ...given,
  });
}

function open(overview: () => unknown = busy, address = "/") {
  const server = serverCreate()
    .on("GET /api/v1/overview", overview)
    .on("GET /api/v1/workloads", () => ({
      ...pageOf([
        workloadOf({ id: "m-1", name: "pretrain" }),
        workloadOf({
          id: "m-2",
          name: "sweep",
          state: "queued",
          waiting: {
            reason: "capacity",
            message: "Waiting for 8 H100; first in line.",
            remedy: "",
            since: "2026-03-01T09:00:00Z",
          },
        }),
      ]),
      total: 2,
    }));
  consoleOpen(address);
  return server;
}

async function panel(name: string) {
  return within(await screen.findByRole("region", { name }));
}

function hrefOf(link: HTMLElement): string {
  return decodeURIComponent(link.getAttribute("href") ?? "");
}

describe("the overview", () => {
  test("says first what of mine runs, and why the rest does not", async () => {
    const server = open();
    const mine = await panel("Yours");
    expect(await mine.findByText("Waiting for 8 H100; first in line.")).toBeVisible();
    expect(hrefOf(mine.getByRole("link", { name: "pretrain" }))).toBe("/workloads/m-1");
    const asked = new URL(server.last("GET", "/api/v1/workloads")?.url ?? "").searchParams;
    expect(asked.get("owner")).toBe("ana");
  });

  test("tells each type's GPUs, virtual ones apart, and links each number to its list", async () => {
    open();
    const gpus = await panel("GPUs");
    const row = within(await gpus.findByRole("row", { name: /^H100/ }));
    expect(row.getByRole("img")).toHaveAccessibleName(
      "H100: 5.5 of 8 held, 3 really used, 1 held and idle, 1.5 free, 1 unhealthy",
    );
    expect(row.getAllByRole("link").map(hrefOf)).toEqual([
      ...Array.from({ length: 4 }, () => "/nodes?type=H100"),
      "/nodes?type=H100&show=idle",
      "/nodes?type=H100&show=free",
    ]);
    expect(within(gpus.getByRole("row", { name: /A100/ })).getByText("virtual")).toBeVisible();
    expect(hrefOf(gpus.getByRole("link", { name: "1 lost" }))).toBe("/nodes?show=trouble");
  });

  test("says how long people wait, and for what", async () => {
    open();
    const queue = await panel("Queue");
    expect(await queue.findByText("12 min")).toBeVisible();
    expect(queue.getByText("3 h")).toBeVisible();
    expect(queue.getByText("Needs 8 H100; 2 are free.")).toBeVisible();
    expect(hrefOf(queue.getByRole("link", { name: /Quota/ }))).toBe(
      "/workloads?state=queued&reason=quota",
    );
  });

  test("says what failed, what finishes, and how today stands against yesterday", async () => {
    open();
    expect(
      await (await panel("Failed lately")).findByText("Ended with exit code 1."),
    ).toBeVisible();
    expect(await (await panel("Finishes soon")).findByRole("link", { name: "tune" })).toBeVisible();
    const hours = await panel("GPU time");
    expect(await hours.findByText("10")).toBeVisible();
    expect(hours.getByText(/against yesterday by now/).parentElement).toHaveTextContent("+13 %");
  });

  test("is about the project in the address, and its links keep it", async () => {
    const server = open(busy, "/?project=vision");
    const queue = await panel("Queue");
    await queue.findByText("12 min");
    expect(server.last("GET", "/api/v1/overview")?.url).toContain("project=vision");
    expect(hrefOf(queue.getByRole("link", { name: /Quota/ }))).toContain("project=vision");
  });

  test("moves by the live feed, without asking again", async () => {
    const server = open();
    await (await panel("Queue")).findByText("12 min");
    await waitFor(() => FakeEventSource.latest("topic=overview"));
    const asked = server.asked.length;
    act(() => {
      const feed = FakeEventSource.latest("topic=overview");
      feed.say("overview", busy({ queue: { ...busy().queue, waiting: 77 } }));
      feed.say("change", {
        event: eventOf(),
        workload: workloadOf({ id: "m-3", name: "distil", owner: "ana" }),
      });
      feed.say("change", {
        event: eventOf(),
        workload: workloadOf({ id: "m-4", name: "not-mine", owner: "bo" }),
      });
    });
    expect(await (await panel("Queue")).findByText("77")).toBeVisible();
    expect(await (await panel("Yours")).findByRole("link", { name: "distil" })).toBeVisible();
    expect(screen.queryByText("not-mine")).toBeNull();
    expect(server.asked.slice(asked).filter(({ url }) => url.includes("/overview"))).toEqual([]);
  });

  test("keeps the range of its chart in the address", async () => {
    const server = open(busy, "/?range=6h");
    const capacity = await panel("GPUs over time");
    expect(capacity.getByRole("button", { name: "6 h" })).toHaveAttribute("aria-pressed", "true");
    await waitFor(() => expect(server.last("GET", "/api/v1/overview/capacity")).toBeDefined());
    const since = new URL(server.last("GET", "/api/v1/overview/capacity")?.url ?? "");
    const span = Date.now() - Date.parse(since.searchParams.get("since") ?? "");
    expect(Math.round(span / HOUR_MS)).toBe(6);
    act(() => capacity.getByRole("button", { name: "7 d" }).click());
    await waitFor(() => expect(window.location.search).toBe("?range=7d"));
  });

  test("says of when its figures are, once nothing arrives any more", async () => {
    open();
    await (await panel("Queue")).findByText("12 min");
    expect(screen.queryByText(/Figures of/)).toBeNull();
    act(() => statusSet({ phase: "disconnected", sinceMs: Date.now() }));
    expect(screen.getByText(/Figures of/)).toBeVisible();
  });

  test("of a new server leads to the first workload", async () => {
    open(() => overviewOf({ workloads: {} })).on("GET /api/v1/auth/me", () =>
      identityOf({ administrator: true }),
    );
    expect(await screen.findByRole("heading", { name: "Run your first workload" })).toBeVisible();
    expect(screen.queryByRole("region", { name: "Queue" })).toBeNull();
  });

  test("that cannot be read says why, and can be tried again", async () => {
    open(() => new Refused(500, { detail: "The database is away." }));
    expect(await screen.findByText("The database is away.")).toBeVisible();
    expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
  });

  test("is without fault", async () => {
    open();
    await (await panel("Queue")).findByText("12 min");
    const { violations } = await axe.run(document.body, {
      rules: { "color-contrast": { enabled: false } },
    });
    expect(
      violations.map(({ id, nodes }) => `${id}: ${nodes.map((e) => e.html).join(" ")}`),
    ).toEqual([]);
  });
});
