import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { consoleOpen, serverCreate } from "../testing/console";
import { countsOf, detailOf, eventOf, pageOf, workloadOf } from "../testing/documents";
import { FakeEventSource } from "../testing/eventSource";
import { Refused } from "../testing/server";
import { replicaFigure } from "./ReplicaProgress";

const queued = workloadOf({
  id: "w-2",
  name: "sweep",
  state: "queued",
  started_at: null,
  submitted_at: "2026-03-01T10:00:00Z",
  replicas: countsOf({ total: 4, waiting: 4 }),
  waiting: {
    reason: "capacity",
    message: "Waits for 8 H100; 3 are free.",
    remedy: "Ask for 3 GPUs.",
    evidence: [{ fact: "gpus_free", value: "3", subject: "node-2" }],
    since: "2026-03-01T10:00:00Z",
  },
});

test("the list says what each workload does and why it waits", async () => {
  serverCreate().on("GET /api/v1/workloads", () => pageOf([queued, workloadOf()]));
  consoleOpen("/workloads");
  const row = (await screen.findByRole("link", { name: "sweep" })).closest("tr") as HTMLElement;
  expect(within(row).getByText("Waiting")).toBeVisible();
  expect(within(row).getByText("Waits for 8 H100; 3 are free.")).toBeVisible();
  expect(within(row).getByText("0/4")).toBeVisible();
  expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Workloads 2");
});

test("rows of the same name show the end of their id", async () => {
  const again = workloadOf({ id: "w-06h05cr5k5vw7gpz" });
  serverCreate().on("GET /api/v1/workloads", () => pageOf([again, workloadOf(), queued]));
  consoleOpen("/workloads");
  expect(await screen.findByRole("link", { name: "train vw7gpz" })).toBeVisible();
  expect(screen.getByRole("link", { name: "sweep" })).toBeVisible();
});

test("a bar stands only where there is something to compare", async () => {
  const failed = workloadOf({ state: "failed", replicas: countsOf({ failed: 1 }) });
  serverCreate().on("GET /api/v1/workloads", () => pageOf([failed, queued]));
  consoleOpen("/workloads");
  const cell = async (name: string, figure: string) =>
    within((await screen.findByRole("link", { name })).closest("tr") as HTMLElement).getByText(
      figure,
    ).nextElementSibling;
  expect(await cell("train", "0/1")).toBeNull();
  expect(await cell("sweep", "0/4")).not.toBeNull();
});

test("an empty list teaches, a filtered one offers to clear", async () => {
  serverCreate();
  consoleOpen("/workloads");
  expect(await screen.findByText("podium run -- python train.py")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "State" }));
  await userEvent.click(await screen.findByRole("menuitemcheckbox", { name: "Failed" }));
  expect(await screen.findByText("No workload matches")).toBeVisible();
  expect(window.location.search).toBe("?state=failed");
  await userEvent.click(screen.getByRole("link", { name: "Clear filters" }));
  expect(await screen.findByText("No workloads yet")).toBeVisible();
});

test("a failure says what the server said, and tries again", async () => {
  let down = true;
  serverCreate().on("GET /api/v1/workloads", () =>
    down ? new Refused(503, { detail: "The store does not answer." }) : pageOf([workloadOf()]),
  );
  consoleOpen("/workloads");
  expect(await screen.findByText("The store does not answer.")).toBeVisible();
  down = false;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("link", { name: "train" })).toBeVisible();
});

test("more is loaded by cursor", async () => {
  const server = serverCreate().on("GET /api/v1/workloads", (request) =>
    new URL(request.url).searchParams.get("cursor") === "next"
      ? pageOf([workloadOf()])
      : pageOf([queued], "next"),
  );
  consoleOpen("/workloads?kind=training");
  await screen.findByRole("link", { name: "sweep" });
  expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Workloads 1+");
  await userEvent.click(screen.getByRole("button", { name: "Show more" }));
  expect(await screen.findByRole("link", { name: "train" })).toBeVisible();
  expect(server.last("GET", "/api/v1/workloads")?.url).toContain("kind=training");
});

test("the order is the server's, and stands in the address", async () => {
  const server = serverCreate().on("GET /api/v1/workloads", () => pageOf([workloadOf()]));
  consoleOpen("/workloads?kind=training");
  await userEvent.click(await screen.findByRole("button", { name: "Submitted" }));
  await waitFor(() => expect(window.location.search).toBe("?kind=training&order=oldest"));
  await waitFor(() =>
    expect(server.last("GET", "/api/v1/workloads")?.url).toContain("order=oldest"),
  );
  expect(screen.getByRole("columnheader", { name: "Submitted" })).toHaveAttribute(
    "aria-sort",
    "ascending",
  );
});

test("of thousands of rows only those in sight are drawn", async () => {
  const many = Array.from({ length: 5_000 }, (_, at) =>
    workloadOf({ id: `w-${at}`, name: `n-${at}` }),
  );
  serverCreate().on("GET /api/v1/workloads", () => pageOf(many));
  consoleOpen("/workloads");
  await screen.findByRole("link", { name: "n-0" });
  const rows = screen.getAllByRole("row");
  expect(rows.length).toBeLessThan(60);
  expect(screen.getByRole("table")).toHaveAttribute("aria-rowcount", "5001");
});

test("a running array says how far it is, and why the rest waits", async () => {
  const sweep = workloadOf({
    array: true,
    replicas: countsOf({ total: 20, succeeded: 11, failed: 2, running: 3, waiting: 4 }),
    waiting: queued.waiting ?? null,
  });
  serverCreate()
    .on("GET /api/v1/workloads", () => pageOf([sweep]))
    .on("GET /api/v1/workloads/w-1", () => detailOf(sweep))
    .on("GET /api/v1/workloads/w-1/events", () => pageOf([eventOf({ actor: "ana" })]));
  consoleOpen("/workloads/w-1?tab=history");
  const panel = await screen.findByRole("complementary", { name: "Workload" });
  expect(await within(panel).findByText("13 of 20 tasks done, 2 failed.")).toBeVisible();
  expect(within(panel).getByText("4 waiting")).toBeVisible();
  expect(within(panel).getByText("Waits for 8 H100; 3 are free.")).toBeVisible();
  expect(await within(panel).findByText("Submitted by ana")).toBeVisible();
  expect(
    await screen.findByText("13 of 20 tasks done, 2 failed. Waits for 8 H100; 3 are free."),
  ).toBeVisible();
});

test("the spec is YAML, as submitted or with defaults", async () => {
  serverCreate().on("GET /api/v1/workloads/w-1", () =>
    detailOf({
      submitted_spec: { name: "train", script: "set -e\npython train.py\n" },
      resolved_spec: { name: "train", priority: 50 },
    }),
  );
  consoleOpen("/workloads/w-1?tab=spec");
  const spec = await screen.findByRole("region", { name: "Spec" });
  expect(spec).toHaveTextContent("script: | set -e python train.py");
  await userEvent.click(screen.getByRole("radio", { name: "With defaults" }));
  expect(spec).toHaveTextContent("priority: 50");
});

test("the live feed changes what is on the screen", async () => {
  serverCreate().on("GET /api/v1/workloads", () => pageOf([workloadOf()]));
  consoleOpen("/workloads");
  const link = await screen.findByRole("link", { name: "train" });
  const feed = FakeEventSource.latest("/workloads/stream");
  act(() => {
    feed.say("change", {
      event: eventOf({ seq: 9 }),
      workload: workloadOf({ state: "failed", message: "Ended with exit code 1.", version: 2 }),
    });
    feed.say("change", { event: eventOf({ seq: 10, workload_id: "w-2" }), workload: queued });
  });
  expect(await screen.findByText("Ended with exit code 1.")).toBeVisible();
  expect(await screen.findByRole("link", { name: "sweep" })).toBeVisible();
  expect(link.closest("tr")).toHaveTextContent("Failed");
});

test("keys reach every row, open it, and close it again", async () => {
  serverCreate()
    .on("GET /api/v1/workloads", () => pageOf([queued, workloadOf()]))
    .on("GET /api/v1/workloads/w-1", () => detailOf())
    .on("GET /api/v1/workloads/w-1/events", () => pageOf([eventOf()]));
  consoleOpen("/workloads");
  await screen.findByRole("link", { name: "train" });
  await userEvent.keyboard("jj");
  expect(screen.getByRole("link", { name: "train" })).toHaveFocus();
  await userEvent.keyboard("k");
  expect(screen.getByRole("link", { name: "sweep" })).toHaveFocus();
  await userEvent.keyboard("j{Enter}");
  expect(await screen.findByRole("heading", { level: 2, name: "train" })).toBeVisible();
  expect(window.location.pathname).toBe("/workloads/w-1");
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(window.location.pathname).toBe("/workloads"));
  await userEvent.keyboard("/");
  expect(screen.getByRole("searchbox", { name: "Search by name" })).toHaveFocus();
});

test("the panel of what waits says why, where in the queue, and what would help", async () => {
  serverCreate()
    .on("GET /api/v1/workloads/w-2", () => detailOf(queued))
    .on("GET /api/v1/workloads/w-2/events", () => pageOf([eventOf({ workload_id: "w-2" })]))
    .on("GET /api/v1/workloads/w-2/explain", () => ({
      workload_id: "w-2",
      state: "queued",
      headline: "First in line.",
      queue_position: 1,
      queue_length: 7,
      events: [],
    }));
  consoleOpen("/workloads/w-2");
  const why = await screen.findByRole("region", { name: "Why it waits" });
  expect(within(why).getByText("Ask for 3 GPUs.")).toBeVisible();
  expect(within(why).getByText("GPUs free")).toBeVisible();
  expect(within(why).getByText("3 (node-2)")).toBeVisible();
  expect(await within(why).findByText("1 of 7")).toBeVisible();
});

test("cancelling says what is lost before it asks the server", async () => {
  const server = serverCreate()
    .on("GET /api/v1/workloads/w-1", () =>
      detailOf({ replicas: countsOf({ total: 4, running: 4 }) }),
    )
    .on("POST /api/v1/workloads/w-1/cancel", () => workloadOf({ state: "stopping", version: 2 }));
  consoleOpen("/workloads/w-1?tab=spec");
  await userEvent.click(await screen.findByRole("button", { name: "Cancel" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("train stops, with 4 replicas.");
  await userEvent.click(within(dialog).getByRole("button", { name: "Cancel workload" }));
  await waitFor(() => expect(server.last("POST", "/api/v1/workloads/w-1/cancel")).toBeDefined());
});

test.each([
  [countsOf({ total: 8, running: 8 }), "running" as const, "8/8"],
  [countsOf({ total: 64, succeeded: 30, failed: 2, running: 4 }), "running" as const, "32/64"],
  [countsOf({ total: 4, succeeded: 3, failed: 1 }), "failed" as const, "3/4"],
])("replicas %# are told as what matters now", (counts, state, figure) => {
  expect(replicaFigure(counts, state)).toBe(figure);
});
