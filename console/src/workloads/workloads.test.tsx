import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { consoleOpen, serverCreate } from "../testing/console";
import { countsOf, detailOf, eventOf, identityOf, pageOf, workloadOf } from "../testing/documents";
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
  serverCreate().on("GET /api/v1/auth/me", () => identityOf({ administrator: true }));
  consoleOpen("/workloads");
  expect(await screen.findByText("Run your first workload")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "State" }));
  await userEvent.click(await screen.findByRole("menuitemcheckbox", { name: "Failed" }));
  expect(await screen.findByText("No workload matches")).toBeVisible();
  expect(window.location.search).toBe("?state=failed");
  await userEvent.click(screen.getByRole("button", { name: "Clear filters" }));
  expect(await screen.findByText("Run your first workload")).toBeVisible();
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

/** Answers windows of a list of `count` workloads, as the server does. */
function manyOf(count: number) {
  return (request: Request) => {
    const search = new URL(request.url).searchParams;
    const offset = Number(search.get("offset") ?? 0);
    const length = Math.min(Number(search.get("limit")), Math.max(0, count - offset));
    const items = Array.from({ length }, (_, at) =>
      workloadOf({ id: `w-${offset + at}`, name: `n-${offset + at}` }),
    );
    return { items, next_cursor: null, total: count };
  };
}

function scrollTo(pixels: number) {
  const list = screen.getByRole("table").closest("[class*=scroll]") as HTMLElement;
  act(() => {
    list.scrollTop = pixels;
    list.dispatchEvent(new Event("scroll"));
  });
}

test("the order is the server's, and stands in the address", async () => {
  const server = serverCreate().on("GET /api/v1/workloads", () => pageOf([workloadOf()]));
  consoleOpen("/workloads?kind=training");
  await userEvent.click(await screen.findByRole("button", { name: "Submitted" }));
  await waitFor(() => expect(window.location.search).toBe("?kind=training&order=up"));
  await waitFor(() => expect(asked(server)).toContain("sort=submitted&order=up"));
  const head = (name: string) => screen.getByRole("columnheader", { name });
  expect(head("Submitted")).toHaveAttribute("aria-sort", "ascending");
  await userEvent.click(screen.getByRole("button", { name: "Name" }));
  await waitFor(() => expect(asked(server)).toContain("sort=name&order=up"));
  expect(window.location.search).toBe("?kind=training&sort=name");
  expect(head("Name")).toHaveAttribute("aria-sort", "ascending");
  expect(head("Submitted")).not.toHaveAttribute("aria-sort");
});

/** The latest address that rows were asked at, and not a count. */
function asked(server: ReturnType<typeof serverCreate>): string | undefined {
  return server.asked.findLast(({ url }) => url.includes("offset="))?.url;
}

test("of 100,000 rows only those in sight are drawn, and read where one scrolls to", async () => {
  const server = serverCreate().on("GET /api/v1/workloads", manyOf(100_000));
  consoleOpen("/workloads");
  await screen.findByRole("link", { name: "n-0" });
  expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Workloads 100,000");
  expect(screen.getAllByRole("row").length).toBeLessThan(70);
  expect(screen.getByRole("table")).toHaveAttribute("aria-rowcount", "100001");
  scrollTo(50_010 * 32);
  expect(screen.queryByRole("link", { name: "n-0" })).toBeNull();
  const row = (await screen.findByRole("link", { name: "n-50010" })).closest("tr");
  expect(row).toHaveAttribute("aria-rowindex", "50012");
  expect(asked(server)).toContain("offset=50000");
  expect(server.asked.filter(({ url }) => url.includes("offset=")).length).toBeLessThan(4);
});

test("the row with the focus keeps it wherever one scrolls", async () => {
  serverCreate().on("GET /api/v1/workloads", manyOf(100_000));
  consoleOpen("/workloads");
  const link = await screen.findByRole("link", { name: "n-3" });
  act(() => link.focus());
  scrollTo(50_010 * 32);
  await screen.findByRole("link", { name: "n-50010" });
  expect(screen.getByRole("link", { name: "n-3" })).toHaveFocus();
  expect(link).toBe(document.activeElement);
  expect(screen.queryByRole("link", { name: "n-4" })).toBeNull();
  act(() => link.blur());
  expect(screen.queryByRole("link", { name: "n-3" })).toBeNull();
});

test("columns are chosen, and stand in the address", async () => {
  serverCreate().on("GET /api/v1/workloads", () => pageOf([workloadOf({ priority: 77 })]));
  consoleOpen("/workloads?columns=name+priority+gpus");
  expect(await screen.findByRole("cell", { name: "77" })).toBeVisible();
  expect(screen.queryByRole("columnheader", { name: "Owner" })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Columns" }));
  await userEvent.click(await screen.findByRole("checkbox", { name: "Owner" }));
  await waitFor(() => expect(window.location.search).toBe("?columns=name+priority+gpus+owner"));
  await userEvent.click(screen.getByRole("button", { name: "Move Owner to the left" }));
  await waitFor(() => expect(window.location.search).toBe("?columns=name+priority+owner+gpus"));
  await userEvent.click(screen.getByRole("checkbox", { name: "Priority" }));
  expect(await screen.findByRole("columnheader", { name: "Owner" })).toBeVisible();
  expect(screen.queryByRole("columnheader", { name: "Priority" })).toBeNull();
});

test("filters without a button of their own are chips that can be removed", async () => {
  const server = serverCreate().on("GET /api/v1/workloads", () => pageOf([workloadOf()]));
  consoleOpen("/workloads?state=queued&reason=capacity&node=gpu-1&label=a%3Db");
  await screen.findByRole("link", { name: "train" });
  expect(asked(server)).toContain("label=a%3Db&reason=capacity&node=gpu-1");
  await userEvent.click(screen.getByRole("button", { name: "Remove the filter Node gpu-1" }));
  await waitFor(() =>
    expect(window.location.search).toBe("?state=queued&label=a%3Db&reason=capacity"),
  );
  await userEvent.click(screen.getByRole("button", { name: "Mine" }));
  await waitFor(() => expect(window.location.search).toContain("owner=ana"));
  await userEvent.click(screen.getByRole("button", { name: "Filter" }));
  await userEvent.click(await screen.findByRole("button", { name: "Label" }));
  await userEvent.type(await screen.findByLabelText("Key and value"), "nonsense{Enter}");
  expect(await screen.findByText("A label is written key=value.")).toBeVisible();
  await userEvent.type(screen.getByLabelText("Key and value"), "=x{Enter}");
  await waitFor(() => expect(window.location.search).toContain("label=nonsense%3Dx"));
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
  // Plain text at first, an editor once that has loaded: both show the same.
  const tab = await screen.findByRole("tabpanel", { name: "Spec" });
  await waitFor(() => expect(tab).toHaveTextContent(/script: \| *set -e *python train\.py/));
  await userEvent.click(screen.getByRole("radio", { name: "With defaults" }));
  await waitFor(() => expect(tab).toHaveTextContent("priority: 50"));
});

test("the live feed changes what is on the screen, and moved rows are read again", async () => {
  let rows = [workloadOf()];
  serverCreate().on("GET /api/v1/workloads", () => pageOf(rows));
  consoleOpen("/workloads");
  const link = await screen.findByRole("link", { name: "train" });
  const feed = FakeEventSource.latest("/api/v1/stream");
  const failed = workloadOf({ state: "failed", message: "Ended with exit code 1.", version: 2 });
  rows = [queued, failed];
  act(() => {
    feed.say("change", { event: eventOf({ seq: 9, cause: "exit_code" }), workload: failed });
    feed.say("change", { event: eventOf({ seq: 10, workload_id: "w-2" }), workload: queued });
  });
  expect(await screen.findByText("Ended with exit code 1.")).toBeVisible();
  expect(await screen.findByRole("link", { name: "sweep" })).toBeVisible();
  expect(link.closest("tr")).toHaveTextContent("Failed");
});

test("under the pointer no row moves, and what is new is offered", async () => {
  let rows = [workloadOf()];
  serverCreate().on("GET /api/v1/workloads", () => pageOf(rows));
  consoleOpen("/workloads");
  await userEvent.hover(await screen.findByRole("link", { name: "train" }));
  rows = [queued, workloadOf()];
  act(() => {
    FakeEventSource.latest("/api/v1/stream").say("change", {
      event: eventOf({ seq: 10, workload_id: "w-2" }),
      workload: queued,
    });
  });
  const offer = await screen.findByRole("button", { name: "Show 1 new workload" });
  expect(screen.queryByRole("link", { name: "sweep" })).toBeNull();
  await userEvent.click(offer);
  expect(await screen.findByRole("link", { name: "sweep" })).toBeVisible();
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
  await userEvent.keyboard("jx");
  expect(screen.getByRole("region", { name: "Selected workloads" })).toHaveTextContent(
    "1 selected",
  );
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("region", { name: "Selected workloads" })).toBeNull();
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
  expect(within(why).getByRole("link", { name: "node-2" })).toBeVisible();
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
