import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { Pool } from "../api/types";
import { consoleOpen, serverCreate } from "../testing/console";
import { deviceOf, identityOf, nodeOf, pageOf } from "../testing/documents";
import { FakeEventSource } from "../testing/eventSource";
import { typesSummed } from "./NodesSummary";
import { openInWords } from "./Pools";

const real = deviceOf({
  gpu_milli_used: 500,
  memory_bytes_used: 40 * 2 ** 30,
  busy_milli: 250,
  holders: [
    {
      workload_id: "w-1",
      name: "train",
      project: "vision",
      owner: "ana",
      kind: "training",
      rank: 0,
      gpu_milli: 500,
      since: "2026-03-01T09:00:00Z",
    },
  ],
});
const pretended = deviceOf({ id: "d-1", index: 1, virtual: true });
const node = nodeOf({ devices: [real, pretended], replicas: 2, block: "b1", rack: "r1" });

function replicaOf() {
  return {
    allocation_id: "a-1",
    workload_id: "w-1",
    name: "train",
    project: "vision",
    owner: "ana",
    kind: "training",
    rank: 0,
    state: "running",
    cpu_milli: 1000,
    memory_bytes: 2 ** 30,
    devices: [0],
    since: "2026-03-01T09:00:00Z",
  };
}

function served() {
  return serverCreate()
    .on("GET /api/v1/nodes", () => pageOf([node]))
    .on("GET /api/v1/nodes/node-1", () => node)
    .on("GET /api/v1/nodes/node-1/replicas", () => pageOf([replicaOf()]))
    .on("GET /api/v1/nodes/node-1/curves", () => ({
      since: "2026-03-01T09:00:00Z",
      until: "2026-03-01T10:00:00Z",
      step_seconds: 10,
      series: [],
    }));
}

test("the list draws each GPU as a cell that says how much is held and used", async () => {
  served();
  consoleOpen("/nodes?view=list");
  expect(
    await screen.findByRole("img", {
      name: /GPU 0: .*50 % held, 40 GiB of 80 GiB, 25 % really used/,
    }),
  ).toBeInTheDocument();
  expect(screen.getByRole("img", { name: /GPU 1: .*Virtual: no hardware/ })).toBeInTheDocument();
  expect(screen.getByText("1 × H100 · 1 × H100 virtual · 0.5 held")).toBeVisible();
});

test("virtual GPUs are never summed with real ones", () => {
  expect(typesSummed([nodeOf({ devices: [real, pretended] })])).toEqual([
    { type: "H100", virtual: false, devices: 1, heldMilli: 500 },
    { type: "H100", virtual: true, devices: 1, heldMilli: 0 },
  ]);
});

test("the map puts nodes into their racks and leads to each", async () => {
  served();
  consoleOpen("/nodes");
  await screen.findByRole("heading", { name: /b1/ });
  await userEvent.click(screen.getByRole("link", { name: "node-1 0.5/2 GPUs held, ready" }));
  expect(
    await screen.findByText("0.5 of 2 GPUs held, 0.25 really used. 2 replicas are placed here."),
  ).toBeVisible();
});

test("all pages of a large cluster are read", async () => {
  const server = serverCreate().on("GET /api/v1/nodes", (request) =>
    new URL(request.url).searchParams.get("cursor")
      ? pageOf([nodeOf({ name: "second" })])
      : pageOf([nodeOf({ name: "first" })], "more"),
  );
  consoleOpen("/nodes");
  expect(await screen.findByRole("link", { name: /^second/ })).toBeVisible();
  expect(server.asked.filter(({ url }) => url.includes("/nodes"))).toHaveLength(2);
});

test("what happens on nodes makes the page read again, at most every two seconds", async () => {
  const server = served();
  consoleOpen("/nodes");
  await screen.findByRole("link", { name: /^node-1/ });
  const before = server.asked.length;
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const feed = FakeEventSource.latest("/stream");
  act(() => {
    feed.open();
    for (let count = 0; count < 50; count += 1) feed.say("nodes", {});
  });
  await act(() => vi.advanceTimersByTimeAsync(2_100));
  await waitFor(() =>
    expect(server.asked.slice(before).filter(({ url }) => url.includes("/nodes"))).toHaveLength(1),
  );
  vi.useRealTimers();
});

test("a cluster without nodes says how to get one", async () => {
  serverCreate();
  consoleOpen("/nodes");
  expect(await screen.findByText("podium up")).toBeVisible();
});

test("a node says who is on each GPU, and what it does not show", async () => {
  served();
  consoleOpen("/nodes/node-1");
  const gpus = await screen.findByRole("region", { name: /GPUs/ });
  expect(within(gpus).getByRole("link", { name: "train" })).toHaveAttribute(
    "href",
    expect.stringContaining("/workloads/w-1"),
  );
  expect(
    await screen.findByText("1 replica of projects that are not yours is not shown."),
  ).toBeVisible();
  expect(screen.queryByRole("button", { name: "Cordon" })).not.toBeInTheDocument();
});

test("a GPU that takes no work says why", async () => {
  const fault = "It has fallen off the bus. Restart the machine.";
  const ill = nodeOf({ devices: [deviceOf({ healthy: false, fault })] });
  served().on("GET /api/v1/nodes/node-1", () => ill);
  consoleOpen("/nodes/node-1");
  const gpus = await screen.findByRole("region", { name: /GPUs/ });
  expect(within(gpus).getByText("Unhealthy")).toBeVisible();
  expect(within(gpus).getByText(fault)).toBeVisible();
});

test("an administrator keeps new work off a node", async () => {
  const server = served()
    .on("GET /api/v1/auth/me", () => identityOf({ administrator: true }))
    .on("POST /api/v1/nodes/node-1/cordon", () => ({ ...node, state: "cordoned" }))
    .on("POST /api/v1/what-if", () => ({
      sentence: "1 workload would start later.",
      stopped: [],
      spared: [],
      earlier: [],
      later: [
        {
          workload: { id: "w-7", name: "sweep", project: "vision", owner: "ada" },
          before: "2026-03-01T09:00:00Z",
          after: "2026-03-01T12:00:00Z",
          why: "",
        },
      ],
      never: [],
      possible: [],
      fresh: [],
      hidden: { stopped: 2 },
      reasons: [],
      waiting: 3,
      looked_at_starts: 3,
      looked_at: "2026-03-01T09:00:00Z",
    }));
  consoleOpen("/nodes/node-1");
  await userEvent.click(await screen.findByRole("button", { name: "Cordon" }));
  const dialog = await screen.findByRole("dialog");
  expect(await within(dialog).findByText("1 workload would start later.")).toBeVisible();
  expect(within(dialog).getByRole("link", { name: "sweep" })).toBeVisible();
  expect(within(dialog).getByText("2 workloads of other projects.")).toBeVisible();
  expect(server.last("POST", "/api/v1/nodes/node-1/cordon")).toBeUndefined();
  await userEvent.click(within(dialog).getByRole("radio", { name: "If it had to stop" }));
  await waitFor(async () =>
    expect(await server.last("POST", "/api/v1/what-if")?.clone().json()).toEqual({
      changes: [{ change: "drain", node: "node-1" }],
    }),
  );
  await userEvent.click(within(dialog).getByRole("button", { name: "Cordon" }));
  expect(server.last("POST", "/api/v1/nodes/node-1/cordon")).toBeDefined();
});

test("an administrator gives up the work on a lost node, after being asked", async () => {
  let lost = nodeOf({ state: "lost", replicas: 2 });
  const server = served()
    .on("GET /api/v1/auth/me", () => identityOf({ administrator: true }))
    .on("GET /api/v1/nodes/node-1", () => lost)
    .on("POST /api/v1/nodes/node-1/release", () => {
      lost = { ...lost, replicas: 0, given_up: 2 };
      return { name: "node-1", replicas: 2, workloads: 1, reports_again: false };
    });
  consoleOpen("/nodes/node-1");
  await userEvent.click(await screen.findByRole("button", { name: "Release" }));
  const dialog = await screen.findByRole("dialog", { name: "Release node-1" });
  expect(within(dialog).getByText(/Only when the machine is really off/)).toBeVisible();
  expect(server.last("POST", "/api/v1/nodes/node-1/release")).toBeUndefined();
  await userEvent.click(within(dialog).getByRole("button", { name: "Give up its work" }));
  expect(
    await screen.findByText(/2 replicas were given up here and may still run\./),
  ).toBeVisible();
  expect(screen.queryByRole("button", { name: "Release" })).toBeNull();
});

test("a node that is back says what it waits for, and others see no button", async () => {
  const back = nodeOf({ state: "cordoned", given_up: 1 });
  served().on("GET /api/v1/nodes/node-1", () => back);
  consoleOpen("/nodes/node-1");
  const words = /1 replica was given up here; nothing new is placed until it has ended\./;
  expect(await screen.findByText(words)).toBeVisible();
  expect(screen.queryByRole("button", { name: "Release" })).toBeNull();
});

test("pools say what is in them and who may use them, and lead to their nodes", async () => {
  const pool = {
    name: "secure",
    labels: { zone: "secure" },
    projects: ["vision"],
    teams: ["research"],
    restricted: true,
    others: 2,
    note: "patient data",
    nodes: 2,
    nodes_ready: 1,
    gpus: [{ type: "H100", count: 2, gpu_milli: 2000, gpu_milli_used: 500 }],
  };
  served()
    .on("GET /api/v1/nodes", () =>
      pageOf([nodeOf({ name: "safe-1", pool: "secure" }), nodeOf({ name: "open-1" })]),
    )
    .on("GET /api/v1/pools", () => ({ items: [pool] }));
  consoleOpen("/nodes?view=pools");
  const table = await screen.findByRole("table", { name: "Pools" });
  expect(within(table).getByText("Team research, project vision and 2 others")).toBeVisible();
  expect(within(table).getByText("0.5 of 2 H100")).toBeVisible();
  expect(within(table).getByText("1 not ready")).toBeVisible();
  await userEvent.click(within(table).getByRole("link", { name: "secure" }));
  expect(await screen.findByRole("link", { name: /safe-1/ })).toBeVisible();
  expect(screen.queryByRole("link", { name: /open-1/ })).not.toBeInTheDocument();
});

test("who may use a pool is told in words", () => {
  const pool = { restricted: true, teams: [], projects: [], others: 0 } as unknown as Pool;
  expect(openInWords({ ...pool, restricted: false })).toBe("Everyone");
  expect(openInWords({ ...pool, others: 3 })).toBe("Others");
  expect(openInWords({ ...pool, projects: ["vision"] })).toBe("Project vision");
});
