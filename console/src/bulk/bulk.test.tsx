import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Workload } from "../api/types";
import { consoleOpen, serverCreate } from "../testing/console";
import { countsOf, workloadOf } from "../testing/documents";
import { asSelection } from "./actions";
import { faultIn } from "./ChangeMany";
import { filtersInWords, lossInWords, lossOf, namesInWords } from "./words";

const rows: Workload[] = ["ash", "birch", "cedar", "fir"].map((name, at) =>
  workloadOf({
    id: `w-${name}`,
    name,
    priority: 10 * at,
    state: at < 2 ? "running" : "queued",
    replicas: at < 2 ? countsOf({ total: 2, running: 2 }) : countsOf({ waiting: 1 }),
  }),
);

function listed(total = rows.length) {
  return serverCreate().on("GET /api/v1/workloads", () => ({ items: rows, total }));
}

async function select(...names: string[]) {
  for (const name of names) {
    await userEvent.click(await screen.findByRole("checkbox", { name: `Select ${name}` }));
  }
}

async function lastAction(server: ReturnType<typeof listed>): Promise<unknown> {
  await waitFor(() => expect(server.last("POST", "/api/v1/workloads/actions")).toBeDefined());
  return server.last("POST", "/api/v1/workloads/actions")?.json();
}

test("cancelling many says by count and name what is lost, and then what came of it", async () => {
  const server = listed().on("POST /api/v1/workloads/actions", () => ({
    done: 1,
    unchanged: 1,
    faults: [{ id: "w-cedar", detail: "It belongs to somebody else." }],
    fault_count: 1,
  }));
  consoleOpen("/workloads");
  await select("ash", "birch", "cedar");
  await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("ash, birch and cedar.");
  expect(dialog).toHaveTextContent("2 workloads stop, with 4 replicas.");
  expect(dialog).toHaveTextContent("1 workload leaves the queue.");
  await userEvent.click(within(dialog).getByRole("button", { name: "Cancel 3 workloads" }));
  expect(await lastAction(server)).toEqual({
    action: "cancel",
    reason: "",
    selection: { ids: ["w-ash", "w-birch", "w-cedar"] },
  });
  expect(
    await screen.findByText("Cancelled 1 workload. 1 had ended already. 1 could not be cancelled."),
  ).toBeVisible();
  expect(screen.getByText("It belongs to somebody else.")).toHaveTextContent("cedar");
});

test("shift selects the rows between", async () => {
  listed();
  consoleOpen("/workloads");
  await select("ash");
  const user = userEvent.setup();
  await user.keyboard("{Shift>}");
  await user.click(screen.getByRole("checkbox", { name: "Select fir" }));
  await user.keyboard("{/Shift}");
  expect(screen.getByRole("region", { name: "Selected workloads" })).toHaveTextContent(
    "4 selected",
  );
});

test("all that match can be selected, and the action is by the filters", async () => {
  const server = listed(1_234).on("POST /api/v1/workloads/actions", () => ({
    done: 1_234,
    unchanged: 0,
    faults: [],
    fault_count: 0,
  }));
  consoleOpen("/workloads?kind=training");
  await userEvent.click(await screen.findByRole("checkbox", { name: "Select the rows shown" }));
  await userEvent.click(screen.getByRole("button", { name: "Select all 1,234" }));
  await userEvent.click(screen.getByRole("button", { name: "Change priority" }));
  const dialog = await screen.findByRole("dialog");
  const field = within(dialog).getByLabelText("New priority");
  await userEvent.type(field, "900{Enter}");
  expect(await within(dialog).findByText("Give a whole number from 0 to 100.")).toBeVisible();
  await userEvent.clear(field);
  await userEvent.type(field, "75{Enter}");
  expect(await lastAction(server)).toEqual({
    action: "change",
    change: { priority: 75 },
    reason: "",
    selection: { kind: ["training"] },
  });
  expect(await screen.findByText("Changed 1,234 workloads.")).toBeVisible();
});

test("a changed priority can be undone", async () => {
  const server = listed().on("POST /api/v1/workloads/actions", () => ({
    done: 2,
    unchanged: 0,
    faults: [],
    fault_count: 0,
  }));
  consoleOpen("/workloads");
  await select("ash", "birch");
  await userEvent.click(screen.getByRole("button", { name: "Change priority" }));
  await userEvent.type(await screen.findByLabelText("New priority"), "75{Enter}");
  await userEvent.click(await screen.findByRole("button", { name: "Undo" }));
  await waitFor(() =>
    expect(
      server.asked.filter(({ url, method }) => method === "POST" && url.endsWith("/actions")),
    ).toHaveLength(3),
  );
  expect(await lastAction(server)).toMatchObject({
    change: { priority: 10 },
    selection: { ids: ["w-birch"] },
  });
});

test("a selection of another list is not that of this one", async () => {
  listed();
  consoleOpen("/workloads");
  await select("ash");
  await userEvent.click(screen.getByRole("button", { name: "Mine" }));
  await waitFor(() =>
    expect(screen.queryByRole("region", { name: "Selected workloads" })).toBeNull(),
  );
});

test("an action on everything is never said by the lack of a filter", () => {
  expect(asSelection({})).toBeNull();
  expect(asSelection({ reason: ["capacity"] })).toBeNull();
  expect(asSelection({ project: ["vision"] })).toEqual({ project: ["vision"] });
});

test("what is selected by filters is said by them", () => {
  expect(filtersInWords({})).toBe("All workloads that you can see");
  expect(filtersInWords({ state: ["queued", "running"], owner: "ada", sort: "name" })).toBe(
    "All with state Waiting or Running; owner ada",
  );
});

test("words of loss, names and faults", () => {
  const ended = workloadOf({ state: "failed" });
  expect(lossInWords(lossOf([ended]))).toEqual([
    "1 workload has ended already and stays as it is.",
  ]);
  const many = Array.from({ length: 9 }, (_, at) => ({ name: `n-${at}` }));
  expect(namesInWords(many)).toBe("n-0, n-1, n-2, n-3, n-4, n-5 and 3 more");
  expect(namesInWords(many.slice(0, 1))).toBe("n-0");
  expect(faultIn("time", "12h")).toBeNull();
  expect(faultIn("time", "1d12h")).toBeNull();
  expect(faultIn("time", "long")).not.toBeNull();
});
