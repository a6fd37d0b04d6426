import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { consoleOpen, serverCreate } from "../testing/console";
import { workloadOf } from "../testing/documents";

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

test("the queue says who is next, why each waits, and what each project wants", async () => {
  serverCreate().on("GET /api/v1/queue", () =>
    queueOf([{ position: 1, workload: waiting }], { length: 3, hidden: 2 }),
  );
  consoleOpen("/queue");
  expect(
    await screen.findByText(/3 workloads wait, 1 of them yours to see\. train is next\./),
  ).toBeVisible();
  const table = screen.getByRole("table");
  expect(within(table).getByText("It needs 8 H100; 4 are free.")).toBeVisible();
  expect(within(table).getByRole("link", { name: "train" })).toHaveAttribute(
    "href",
    "/workloads/w-1",
  );
  expect(screen.getByRole("img", { name: "4 GPUs held, 8 GPUs wanted" })).toBeInTheDocument();
});

test("an empty queue says so, and where to begin", async () => {
  serverCreate().on("GET /api/v1/queue", () => queueOf([], { projects: [] }));
  consoleOpen("/queue");
  expect(await screen.findByRole("heading", { name: "Nothing waits" })).toBeVisible();
});

test("a queue of others alone tells how long it is and no more", async () => {
  serverCreate().on("GET /api/v1/queue", () => queueOf([], { length: 5, hidden: 5 }));
  consoleOpen("/queue");
  expect(await screen.findByText("5 workloads of others are in the queue.")).toBeVisible();
});
