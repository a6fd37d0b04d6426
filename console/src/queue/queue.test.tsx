import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { expect, test } from "vitest";
import type { QueuePlan } from "../api/types";
import { consoleOpen, serverCreate } from "../testing/console";
import { identityOf, workloadOf } from "../testing/documents";
import { FakeEventSource } from "../testing/eventSource";
import { Refused } from "../testing/server";
import { lineOf, namedOf, planOf, quotasOf, turnOf } from "./queueDocuments";

function queueOf(items: unknown[], given: object = {}) {
  return {
    items,
    next_cursor: null,
    length: items.length,
    hidden: 0,
    projects: [
      {
        project: "vision",
        team: "research",
        waiting: items.length,
        running: 1,
        gpu_milli_wanted: 8000,
        gpu_milli_held: 4000,
        oldest_queued_at: "2026-03-01T09:00:00Z",
      },
    ],
    ...given,
  };
}

const waiting = workloadOf({
  state: "queued",
  waiting: {
    reason: "capacity",
    message: "It needs 8 H100; 4 are free.",
    remedy: "",
    evidence: [],
    since: "2026-03-01T09:00:00Z",
  },
});

function serve(plan: QueuePlan, queue: object = queueOf([{ position: 1, workload: waiting }])) {
  return serverCreate()
    .on("GET /api/v1/queue", () => queue)
    .on("GET /api/v1/queue/plan", () => plan)
    .on("GET /api/v1/quotas", () => quotasOf());
}

const busy = planOf(
  {
    turns: [
      turnOf({ workload: null, project: null }),
      turnOf({
        position: 2,
        workload: { ...namedOf("train"), id: "w-1" },
        inside_guarantee: true,
        starts_at: "2026-03-01T14:00:00Z",
      }),
    ],
    preemptions: [
      {
        at: "2026-03-01T09:30:00Z",
        workload: namedOf("sweep", "speech"),
        in_favour_of: { ...namedOf("train"), id: "w-1" },
        replicas: 2,
        justification: "its project borrows what the other is guaranteed",
        lost_gpu_seconds: 11_520,
      },
      {
        at: "2026-03-01T09:20:00Z",
        workload: namedOf("fit", "speech"),
        in_favour_of: null,
        booking: "firmware",
        replicas: 1,
        justification: "its node gpu-1 is booked for maintenance now",
        lost_gpu_seconds: 0,
      },
    ],
  },
  [
    lineOf({
      running: [
        {
          workload: namedOf("long"),
          project: "vision",
          gpu_milli: 8000,
          from: "2026-03-01T08:00:00Z",
          until: "2026-03-01T14:00:00Z",
          certain: true,
        },
      ],
      planned: [
        {
          workload: { ...namedOf("train"), id: "w-1" },
          gpu_milli: 8000,
          from: "2026-03-01T14:00:00Z",
          until: null,
        },
      ],
      free_milli: 0,
    }),
    lineOf({
      name: "node-2",
      running: [
        {
          workload: null,
          project: null,
          gpu_milli: 2000,
          from: "2026-03-01T10:00:00Z",
          until: null,
          certain: false,
        },
      ],
      booked: [
        {
          name: "firmware",
          project: null,
          maintenance: true,
          from: "2026-03-01T18:00:00Z",
          until: "2026-03-01T20:00:00Z",
        },
      ],
      free_milli: 6000,
    }),
  ],
);

test("the queue says who is next, whose turn it is and why, and when it starts", async () => {
  serve(busy, queueOf([{ position: 1, workload: waiting }], { length: 3, hidden: 2 }));
  consoleOpen("/queue");
  const row = await screen.findByRole("row", { name: /Inside its guarantee/ });
  expect(row).toHaveTextContent(/^2train/);
  expect(row).toHaveTextContent("It needs 8 H100; 4 are free.");
  expect(row).toHaveTextContent("reserved");
  expect(within(row).getByRole("link", { name: "train" })).toHaveAttribute(
    "href",
    "/workloads/w-1",
  );
  expect(screen.getByText("1 workload of others")).toBeVisible();
  expect(screen.getByText(/^3 workloads wait, 1 of them yours to see\. Work inside/)).toBeVisible();
});

test("nodes show what runs until when, what is planned, what is booked and what is free", async () => {
  serve(busy);
  consoleOpen("/queue");
  const lane = await screen.findByRole("list", { name: "On node-1" });
  expect(within(lane).getByRole("link", { name: /^long, 8 GPUs, until .*14:00$/ })).toHaveAttribute(
    "href",
    "/workloads/w-long",
  );
  expect(
    within(lane).getByRole("link", { name: /^train, 8 GPUs, planned from .*14:00$/ }),
  ).toBeInTheDocument();
  const other = screen.getByRole("list", { name: "On node-2" });
  expect(within(other).getByText(/Maintenance: firmware/)).toBeInTheDocument();
  expect(
    within(other).getByRole("img", { name: "Work of others, 2 GPUs, end not known" }),
  ).toBeInTheDocument();
  expect(screen.getByText("6 of 8 free")).toBeVisible();
});

test("arrow keys go along the time line, and each bar says what it is", async () => {
  serve(busy);
  consoleOpen("/queue");
  const first = await screen.findByRole("link", { name: /^long, 8 GPUs/ });
  expect(first).toHaveAttribute("tabindex", "0");
  act(() => first.focus());
  expect(screen.getByRole("tooltip")).toHaveTextContent("8 GPUs on node-1");
  await userEvent.keyboard("{ArrowRight}");
  await waitFor(() =>
    expect(screen.getByRole("link", { name: /^train, 8 GPUs, planned/ })).toHaveFocus(),
  );
});

test("how far ahead one looks stands in the address", async () => {
  const server = serve(busy);
  consoleOpen("/queue?ahead=6h");
  await screen.findByRole("list", { name: "On node-1" });
  expect(server.last("GET", "/api/v1/queue/plan")?.url).toContain("hours=6&");
  await userEvent.click(screen.getByRole("button", { name: "7 d" }));
  await waitFor(() => expect(window.location.search).toBe("?ahead=7d"));
  await waitFor(() => expect(server.last("GET", "/api/v1/queue/plan")?.url).toContain("hours=168"));
});

test("with one project chosen, work of others stands back and is no link", async () => {
  serve(busy);
  consoleOpen("/queue?project=speech");
  const lane = await screen.findByRole("list", { name: "On node-1" });
  expect(within(lane).queryByRole("link")).toBeNull();
  expect(within(lane).getAllByRole("img", { name: "Other work, 8 GPUs" })).toHaveLength(2);
});

test("shares stand against their guarantees, in a tree that folds", async () => {
  serve(busy);
  consoleOpen("/queue");
  const bar = await screen.findByRole("img", { name: /^vision, H100: 12 held now/ });
  expect(bar).toHaveAccessibleName(/4 of them borrowed, 8 guaranteed, 16 at most, 8 waited for/);
  act(() => bar.focus());
  expect(bar).toHaveTextContent("4 of them borrowed");
  expect(screen.queryByRole("button", { name: /^Change the quota/ })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "research" }));
  await waitFor(() => expect(window.location.search).toBe("?turned=research"));
  expect(screen.queryByRole("img", { name: /^vision, H100/ })).toBeNull();
});

test("who gave way to whom, why and at what cost", async () => {
  serve(busy);
  consoleOpen("/queue");
  const row = await screen.findByRole("row", { name: /sweep/ });
  expect(row).toHaveTextContent("2 replicas");
  expect(row).toHaveTextContent("Its project borrows what the other is guaranteed.");
  expect(row).toHaveTextContent("3.2 GPU-hours");
  const booked = screen.getByRole("row", { name: /fit/ });
  expect(booked).toHaveTextContent("to booking firmware");
});

test("an administrator changes a quota in place, and is told what is wrong at the field", async () => {
  const server = serve(busy)
    .on("GET /api/v1/auth/me", () => identityOf({ administrator: true }))
    .on(
      "PUT /api/v1/quotas/project/vision",
      () =>
        new Refused(422, {
          detail: "1 field is wrong.",
          faults: [
            {
              field: "gpus.H100.guarantee_milli",
              message: "The cluster has 16 H100.",
              remedy: "Keep the sum at 16 or less.",
            },
          ],
        }),
    );
  consoleOpen("/queue");
  await userEvent.click(await screen.findByRole("button", { name: "Change the quota of vision" }));
  const form = screen.getByRole("form", { name: "Quota of vision" });
  const guarantee = within(form).getByLabelText("Guaranteed of H100");
  expect(guarantee).toHaveValue("8");
  await userEvent.clear(guarantee);
  await userEvent.type(guarantee, "90");
  await userEvent.click(within(form).getByRole("button", { name: "Save quota" }));
  expect(await within(form).findByText(/The cluster has 16 H100\./)).toBeVisible();
  expect(guarantee).toBeInvalid();
  expect(await server.last("PUT", "/api/v1/quotas/project/vision")?.json()).toEqual({
    weight: 2,
    gpus: { H100: { guarantee_milli: 90_000, limit_milli: 16_000, per_user_milli: null } },
    ceilings: {},
  });
  server.on("PUT /api/v1/quotas/project/vision", () => quotasOf().items.at(-1));
  await userEvent.click(within(form).getByRole("button", { name: "Save quota" }));
  await waitFor(() => expect(screen.queryByRole("form", { name: /Quota/ })).toBeNull());
});

test("what changes is read again, gathered", async () => {
  const server = serve(planOf());
  consoleOpen("/queue");
  await screen.findByText(/No node is here yet/);
  const before = server.asked.filter(({ url }) => url.includes("/queue/plan")).length;
  act(() => {
    for (let at = 0; at < 5; at += 1) FakeEventSource.latest("topic=nodes").say("nodes", {});
  });
  await waitFor(
    () =>
      expect(server.asked.filter(({ url }) => url.includes("/queue/plan"))).toHaveLength(
        before + 1,
      ),
    { timeout: 5_000 },
  );
});

test("the queue with all of it is without fault", async () => {
  serve(busy).on("GET /api/v1/auth/me", () => identityOf({ administrator: true }));
  consoleOpen("/queue");
  await userEvent.click(await screen.findByRole("button", { name: "Change the quota of vision" }));
  await screen.findByRole("list", { name: "On node-1" });
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false } },
  });
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map((each) => each.html).join(" ")}`),
  ).toEqual([]);
});

test("an empty queue says so, and where to begin", async () => {
  serve(planOf(), queueOf([], { projects: [] }));
  consoleOpen("/queue");
  expect(await screen.findByRole("heading", { name: "Nothing waits" })).toBeVisible();
  expect(await screen.findByText(/^Nobody had to give way lately\./)).toBeVisible();
});

test("a queue of others alone tells how long it is and no more", async () => {
  serve(
    planOf({ turns: [turnOf({ workload: null, project: null })] }),
    queueOf([], { length: 5, hidden: 5 }),
  );
  consoleOpen("/queue");
  expect(await screen.findByText("5 workloads of others are in the queue.")).toBeVisible();
});

test("without a plan the queue is still there, and so is a way to try again", async () => {
  serverCreate()
    .on("GET /api/v1/queue", () => queueOf([{ position: 1, workload: waiting }]))
    .on("GET /api/v1/queue/plan", () => new Refused(500, { detail: "It broke." }))
    .on("GET /api/v1/quotas", () => quotasOf());
  consoleOpen("/queue");
  expect(await screen.findByText("It broke.")).toBeVisible();
  expect(screen.getByRole("link", { name: "train" })).toBeVisible();
});
