import { configure, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, expect, test, vi } from "vitest";
import type { Curves, Replica, WorkloadDetail } from "../../api/types";
import { explanationOf, offeredOf } from "../../foresight/documents";
import { consoleOpen, serverCreate } from "../../testing/console";
import { countsOf, detailOf, eventOf, identityOf, pageOf } from "../../testing/documents";
import { Refused } from "../../testing/server";

const W = "/api/v1/workloads/w-1";

// Whole pages are drawn, on machines that have other work, too.
configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 30_000 });
beforeEach(() => window.localStorage.clear());

function opened(search: string, given: Partial<WorkloadDetail> = {}) {
  const server = serverCreate()
    .on(`GET ${W}`, () => detailOf(given))
    .on(`GET ${W}/events`, () => pageOf([eventOf()]));
  consoleOpen(`/workloads/w-1${search}`);
  return server;
}

function replicaOf(rank: number, given: Partial<Replica> = {}): Replica {
  return {
    rank,
    state: "running",
    attempt: 1,
    node: `gpu-${rank}`,
    started_at: "2026-03-01T09:00:10Z",
    message: "",
    usage: detailOf().usage,
    ...given,
  };
}

/** What axe finds wrong. It cannot see colours here; the test of the palette looks after those. */
async function faults(): Promise<string[]> {
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false } },
  });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((each) => each.html).join(" ")}`);
}

async function menuChoose(name: string) {
  await userEvent.click(await screen.findByRole("button", { name: "More actions" }));
  await userEvent.click(await screen.findByRole("menuitem", { name }));
  return screen.findByRole("dialog");
}

test("another priority is sent, and a fault stands at the field", async () => {
  const server = opened("").on(
    `PATCH ${W}`,
    () =>
      new Refused(422, {
        detail: "priority is above 80.",
        faults: [{ field: "priority", message: "is above 80.", remedy: "Ask a lead." }],
      }),
  );
  const dialog = await menuChoose("Change priority…");
  const field = within(dialog).getByRole("textbox", { name: "Priority" });
  await userEvent.clear(field);
  await userEvent.type(field, "500");
  const button = within(dialog).getByRole("button", { name: "Change priority" });
  await userEvent.click(button);
  expect(within(dialog).getByText("Give a whole number from 0 to 100.")).toBeVisible();
  await userEvent.click(within(dialog).getByRole("button", { name: "100" }));
  await userEvent.click(button);
  expect(await within(dialog).findByText("is above 80. Ask a lead.")).toBeVisible();
  expect(field).toBeInvalid();
  expect(await faults()).toEqual([]);
  server.on(`PATCH ${W}`, () => detailOf({ priority: 75, version: 2 }));
  await userEvent.click(within(dialog).getByRole("button", { name: "75" }));
  await userEvent.click(button);
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(await server.last("PATCH", W)?.json()).toEqual({ priority: 75 });
});

test("when it saved last stands among its facts", async () => {
  const now = Date.now();
  opened("", { saved_at: new Date(now - 3 * 60_000 - 1000).toISOString() });
  const name = await screen.findByText("Last saved");
  expect(name.parentElement).toHaveTextContent("3 min ago");
});

test("unlike groups are told with what each asks for, and which replica is of which", async () => {
  const { resources } = detailOf();
  const actor = { ...resources, gpu_milli: 0, text: "2 CPU · 1 GiB" };
  opened("?tab=replicas", {
    replicas: countsOf({ total: 3, running: 3 }),
    groups: [
      { name: "learner", replicas: 1, first_rank: 0, resources },
      { name: "actor", replicas: 2, first_rank: 1, resources: actor },
    ],
    group_states: {
      learner: countsOf({ running: 1 }),
      actor: countsOf({ total: 2, running: 2 }),
    },
    replica_list: [
      replicaOf(0, { group: "learner" }),
      replicaOf(1, { group: "actor" }),
      replicaOf(2, { group: "actor" }),
    ],
  });
  const facts = (await screen.findByText("Groups")).parentElement;
  expect(facts).toHaveTextContent("learner2 × H100 · 4 CPU · 1 GiB");
  expect(facts).toHaveTextContent("actor2 × (2 CPU · 1 GiB)");
  expect(screen.queryByText("Each replica")).toBeNull();
  const table = await screen.findByRole("region", { name: "Replicas" });
  const cells = [...table.querySelectorAll('td[data-column="group"]')];
  expect(cells.map((cell) => cell.textContent)).toEqual(["learner", "actor", "actor"]);
  expect(await faults()).toEqual([]);
});

test("only the limit that was changed is sent", async () => {
  const server = opened("", { max_runtime_seconds: 14_400 }).on(`PATCH ${W}`, () => detailOf());
  const dialog = await menuChoose("Extend time…");
  expect(within(dialog).getByRole("textbox", { name: "Time limit" })).toHaveValue("4h");
  await userEvent.click(within(dialog).getByRole("button", { name: "8h" }));
  await userEvent.click(within(dialog).getByRole("button", { name: "Set limits" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(await server.last("PATCH", W)?.json()).toEqual({ max_runtime: "8h" });
});

test("who may only look is offered nothing that changes", async () => {
  opened("").on("GET /api/v1/auth/me", () => identityOf({ roles: { vision: "viewer" } }));
  expect(await screen.findByRole("button", { name: "More actions" })).toBeVisible();
  expect(screen.queryByRole("button", { name: "Cancel" })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "More actions" }));
  expect(await screen.findByRole("menuitem", { name: "Copy id" })).toBeVisible();
  expect(screen.queryByRole("menuitem", { name: "Change priority…" })).toBeNull();
});

test("it is a panel or a page, and the address says which", async () => {
  opened("?tab=spec");
  await userEvent.click(await screen.findByRole("link", { name: "Open as page" }));
  await waitFor(() => expect(window.location.search).toBe("?tab=spec&as=page"));
  expect(await screen.findByRole("heading", { name: "train", level: 1 })).toBeVisible();
  expect(screen.getByText("Each replica")).toBeVisible();
  await userEvent.keyboard("o");
  await waitFor(() => expect(window.location.search).toBe("?tab=spec"));
});

test("replicas are filtered by state and sorted, and the address says how", async () => {
  opened("?tab=replicas", {
    replicas: countsOf({ total: 3, running: 2, failed: 1 }),
    replica_list: [
      replicaOf(0),
      replicaOf(1, { state: "failed", exit_code: 3, message: "It ended with exit code 3." }),
      replicaOf(2, { node: "a-node" }),
    ],
  });
  const table = await screen
    .findByRole("table", { name: "" })
    .then(() => screen.getByRole("region", { name: "Replicas" }));
  const ranks = () =>
    [...table.querySelectorAll('td[data-column="rank"]')].map((cell) => cell.textContent);
  expect(ranks()).toEqual(["0", "1", "2"]);
  expect(within(table).getByRole("link", { name: "a-node" })).toHaveAttribute(
    "href",
    "/nodes/a-node",
  );
  await userEvent.click(within(table).getByRole("button", { name: "Node" }));
  await waitFor(() => expect(ranks()).toEqual(["2", "0", "1"]));
  expect(window.location.search).toBe("?tab=replicas&by=node");
  await userEvent.click(screen.getByRole("button", { name: "Failed 1" }));
  await waitFor(() => expect(ranks()).toEqual(["1"]));
  expect(within(table).getByText("It ended with exit code 3.")).toBeVisible();
  expect(await faults()).toEqual([]);
  await userEvent.click(within(table).getByRole("link", { name: "Log of 1" }));
  await waitFor(() => expect(window.location.search).toContain("tab=logs"));
  expect(window.location.search).toContain("rank=1");
});

test("thousands of tasks are read page after page", async () => {
  const total = 1_200;
  const tasks = Array.from({ length: total }, (_, rank) => replicaOf(rank));
  opened("?tab=replicas&replicas=failed", {
    array: true,
    replicas: countsOf({ total, running: total - 1, failed: 1 }),
    replica_list: tasks.slice(0, 200),
  }).on(`GET ${W}/replicas`, (request) => {
    const from = Number(new URL(request.url).searchParams.get("cursor") ?? 0);
    const items = tasks.slice(from, from + 500);
    const next = from + 500 < total ? String(from + 500) : null;
    return pageOf(
      items.map((each) => (each.rank === 1_100 ? { ...each, state: "failed" as const } : each)),
      next,
    );
  });
  expect(await screen.findByText("1100")).toBeVisible();
});

const curves: Curves = {
  since: "2026-03-01T09:00:10Z",
  until: "2026-03-01T09:10:10Z",
  step_seconds: 10,
  series: [
    {
      quantity: "gpu_busy",
      limit: 2,
      lines: [{ points: [{ at: "2026-03-01T09:00:20Z", mean: 1.26, low: 1, high: 1.5 }] }],
    },
    {
      quantity: "memory",
      limit: 2 ** 30,
      lines: [{ points: [{ at: "2026-03-01T09:00:20Z", mean: 2 ** 28, low: 0, high: 2 ** 29 }] }],
    },
  ],
};

test("cost, and what of it was put to use, stand at the top", async () => {
  const usage = { ...detailOf().usage, gpu_seconds: 7_200 };
  const server = opened("?tab=resources", { usage }).on(`GET ${W}/curves`, () => curves);
  expect(await screen.findByText("No price set for H100")).toBeVisible();
  expect(await screen.findByText("63 %")).toBeVisible();
  expect(screen.getByText("512 MiB")).toBeVisible();
  expect(await screen.findByRole("figure", { name: "GPUs kept busy" })).toBeVisible();
  expect(screen.getByText("CPU and GPU memory are not measured.")).toBeVisible();
  expect(await faults()).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "15 min" }));
  await waitFor(() => expect(window.location.search).toBe("?tab=resources&range=15m"));
  server.on(`GET ${W}`, () => detailOf());
});

test("the timeline tells phases and events, and what all replicas did as one", async () => {
  const running = { kind: "ReplicaRunning", state: "running", cause: "started" as const };
  opened("?tab=timeline", {
    replicas: countsOf({ total: 2, running: 2 }),
    replica_list: [replicaOf(0), replicaOf(1)],
  }).on(`GET ${W}/events`, () =>
    pageOf([
      eventOf(),
      eventOf({
        seq: 2,
        kind: "WorkloadScheduled",
        state: "scheduled",
        actor: "podium",
        message: "Placed on 2 nodes.",
      }),
      eventOf({ ...running, seq: 3, rank: 0, actor: "podium" }),
      eventOf({ ...running, seq: 4, rank: 1, actor: "podium" }),
      eventOf({ ...running, seq: 5, kind: "WorkloadRunning", actor: "podium" }),
    ]),
  );
  expect(await screen.findByText("Started running on gpu-0 and gpu-1")).toBeVisible();
  expect(screen.getByRole("figure", { name: /^Phases: .*running .* so far/ })).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "2 replicas" }));
  expect(screen.getByRole("button", { name: "2 replicas" })).toHaveAttribute(
    "aria-expanded",
    "true",
  );
  expect(await faults()).toEqual([]);
});

test("what was not written by whoever submitted it is marked", async () => {
  opened("?tab=spec&spec=both", {
    submitted_spec: { name: "train" },
    resolved_spec: { name: "train", priority: 50 },
  });
  const spec = await screen.findByRole("region", { name: "Spec with what was added" });
  expect([...spec.querySelectorAll("ins")].map((line) => line.textContent?.trim())).toEqual([
    "priority: 50",
  ]);
});

test("what waits says what can be done about it", async () => {
  opened("", {
    state: "queued",
    started_at: null,
    waiting: {
      reason: "capacity",
      message: "Waits for 8 H100; 3 are free.",
      remedy: "",
      evidence: [{ fact: "holder", value: "w-9", subject: "vision" }],
      since: "2026-03-01T10:00:00Z",
    },
  }).on("GET /api/v1/workloads/w-9", () => detailOf({ id: "w-9", name: "other" }));
  const why = await screen.findByRole("region", { name: "Why it waits" });
  expect(await within(why).findByRole("link", { name: "other" })).toBeVisible();
  expect(within(why).getByText(/2 × H100 · running for/)).toBeVisible();
  expect(within(why).getByRole("link", { name: "Clone with fewer GPUs" })).toHaveAttribute(
    "href",
    "/submit?from=w-1",
  );
  await userEvent.click(within(why).getByRole("button", { name: "Change priority" }));
  expect(await screen.findByRole("dialog", { name: "Change priority of train" })).toBeVisible();
});

const waits: Partial<WorkloadDetail> = {
  state: "queued",
  started_at: null,
  submitted_spec: { name: "train", command: "true", resources: { gpus: 4 } },
  waiting: {
    reason: "capacity",
    message: "Waits for 4 GPUs; 2 of 8 are free.",
    remedy: "Ask for less.",
    evidence: [{ fact: "holder", value: "w-9", subject: "vision" }],
    since: "2026-03-01T10:00:00Z",
  },
};

const holdUp = {
  cause: "image_failed" as const,
  message: "The image x:1 cannot be pulled: its registry wants a sign-in.",
  remedy: "Check the name and tag of its image.",
  since: "2026-03-01T10:00:00Z",
};

test("what keeps it from running is said with its cause and what helps", async () => {
  opened("", {
    state: "starting",
    message: holdUp.message,
    hold_up: { ...holdUp, rank: 0, replicas: 1 },
    replica_list: [replicaOf(0, { state: "starting", hold_up: holdUp })],
  });
  const why = await screen.findByRole("region", { name: "What keeps it from running" });
  expect(within(why).getByText("Image failed")).toBeVisible();
  expect(within(why).getByText(holdUp.remedy)).toBeVisible();
  expect(within(why).queryByText(holdUp.message)).toBeNull();
  expect(screen.getAllByText(holdUp.message).length).toBeGreaterThan(0);
  expect(await faults()).toEqual([]);
});

test("of a gang it says with how many it is so, and after a failure what helps", async () => {
  opened("", {
    state: "starting",
    message: "",
    replicas: { ...detailOf().replicas, total: 4 },
    hold_up: { ...holdUp, cause: null, remedy: "", rank: 1, replicas: 3 },
    remedy: "Ask for more memory.",
  });
  const why = await screen.findByRole("region", { name: "What keeps it from running" });
  expect(within(why).getByText(holdUp.message)).toBeVisible();
  expect(within(why).getByText("3 replicas, the first is 1")).toBeVisible();
  expect(within(why).queryByText("Cause")).toBeNull();
  expect(screen.getByRole("region", { name: "What helps" })).toHaveTextContent("more memory");
});

test("what waits says why each node fell out, who holds what, and resubmits with a change", async () => {
  const server = opened("", waits)
    .on(`GET ${W}/explain`, () => explanationOf())
    .on("POST /api/v1/workloads", () => ({ id: "w-2", name: "train", project: "vision" }))
    .on("GET /api/v1/workloads/w-2", () => detailOf({ id: "w-2" }))
    .on("GET /api/v1/workloads/w-2/events", () => pageOf([]))
    .on(`POST ${W}/cancel`, () => detailOf({ state: "cancelled" }));
  const why = await screen.findByRole("region", { name: "Why it waits" });
  const nodes = await within(why).findByRole("region", { name: "Why the nodes fell out" });
  expect(within(nodes).getByText("8 nodes looked at")).toBeVisible();
  expect(within(nodes).getByText("2 of 8 GPUs free")).toHaveTextContent(
    "node-1, node-2, node-3, …",
  );
  const holders = within(why).getByRole("region", { name: "In use by" });
  expect(within(holders).getByRole("link", { name: "other" })).toBeVisible();
  expect(within(holders).getByText("Work of another project")).toBeVisible();
  expect(within(holders).getByText("And 3 others.")).toBeVisible();
  expect(
    within(why).getByText("3 of 12, 2 of 4 in its project, after large and 1 other"),
  ).toBeVisible();
  expect(within(why).queryByText("Ask for less.")).toBeNull();
  expect(await faults()).toEqual([]);
  await userEvent.click(within(why).getByRole("button", { name: "Resubmit with 2 GPUs" }));
  const dialog = await screen.findByRole("dialog", { name: "Resubmit train" });
  expect(await faults()).toEqual([]);
  expect(server.last("POST", "/api/v1/workloads")).toBeUndefined();
  await userEvent.click(within(dialog).getByRole("button", { name: "Resubmit with 2 GPUs" }));
  await waitFor(() => expect(window.location.pathname).toBe("/workloads/w-2"));
  const sent = server.last("POST", "/api/v1/workloads");
  expect(await sent?.json()).toEqual({
    name: "train",
    command: "true",
    project: "vision",
    resources: { gpus: 2 },
  });
  expect(sent?.headers.get("Idempotency-Key")).toBeTruthy();
  expect(await server.last("POST", `${W}/cancel`)?.json()).toEqual({
    reason: "w-2 is in its place.",
  });
});

test("what was refused anew leaves the one that waits as it is", async () => {
  const server = opened("", waits)
    .on(`GET ${W}/explain`, () => explanationOf())
    .on(
      "POST /api/v1/workloads",
      () => new Refused(422, { detail: "resources.gpus: is too few." }),
    );
  await userEvent.click(await screen.findByRole("button", { name: "Resubmit with 2 GPUs" }));
  const dialog = await screen.findByRole("dialog", { name: "Resubmit train" });
  await userEvent.click(within(dialog).getByRole("button", { name: "Resubmit with 2 GPUs" }));
  expect(await within(dialog).findByText("resources.gpus: is too few.")).toBeVisible();
  expect(server.last("POST", `${W}/cancel`)).toBeUndefined();
});

test("a change that keeps its place is made where it waits, and quota is for administrators", async () => {
  const server = opened("", waits)
    .on(`GET ${W}/explain`, () =>
      explanationOf({
        changes: [
          offeredOf({
            axis: "priority",
            how: "change",
            after: "60",
            sentence: "With priority 60 instead of 50 it starts now.",
            fields: [{ field: "priority", value: 60 }],
          }),
          offeredOf({
            axis: "quota",
            how: "quota",
            sentence: "If more is allowed, it starts now.",
          }),
        ],
      }),
    )
    .on(`PATCH ${W}`, () => detailOf({ ...waits, priority: 60, version: 2 }));
  const offers = await screen.findByRole("region", { name: "It would start now" });
  expect(within(offers).getByText(/Only an administrator can do this/)).toBeVisible();
  expect(within(offers).getAllByRole("button")).toHaveLength(1);
  await userEvent.click(within(offers).getByRole("button", { name: "Set priority 60" }));
  const dialog = await screen.findByRole("dialog");
  await userEvent.click(within(dialog).getByRole("button", { name: "Set priority 60" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(await server.last("PATCH", W)?.json()).toEqual({ priority: 60 });
});

test.each([
  ["2031-03-01T14:05:00Z", "2031-03-01T14:40:00Z", /^Expected to start between .+ and .+\.$/],
  ["2026-03-01T10:00:00Z", "2031-03-01T14:40:00Z", /^Expected to start by .+\.$/],
  ["2026-03-01T10:00:00Z", "2026-03-01T10:01:00Z", /^Expected to start soon\.$/],
])("from %s to %s it is expected", async (early, late, words) => {
  const waiting = {
    reason: "capacity" as const,
    message: "Waits for 8 H100; 3 are free.",
    remedy: "",
    evidence: [],
    since: "2026-03-01T10:00:00Z",
  };
  opened("", { state: "queued", started_at: null, waiting, eta: { early, likely: late, late } });
  const why = await screen.findByRole("region", { name: "Why it waits" });
  expect(within(why).getByText((_, each) => words.test(each?.textContent ?? ""))).toBeVisible();
});

test.each([
  [404, "Not found"],
  [403, "Not yours to see"],
])("an answer of %s is told as %s", async (status, title) => {
  serverCreate().on(`GET ${W}`, () => new Refused(status, { detail: "It is not there." }));
  consoleOpen("/workloads/w-1");
  expect(await screen.findByRole("heading", { name: title })).toBeVisible();
});
