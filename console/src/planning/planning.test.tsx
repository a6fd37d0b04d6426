import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { CapacityPlan, DemandReport } from "../api/types";
import { consoleOpen, serverCreate } from "../testing/console";
import { identityOf } from "../testing/documents";
import { faults } from "../testing/faults";
import { Refused } from "../testing/server";
import { typeInSentence } from "./words";

function demandOf(name: string, given = {}): DemandReport["items"][number] {
  return {
    name,
    gpu_type: "H100",
    held_gpu_hours: 100,
    waited_gpu_hours: 50,
    held_gpus: 4,
    wanted_gpus: 6,
    peak_gpus: 12,
    guarantee_gpus: 4,
    over_hours: 3,
    started: 20,
    wait_mean_seconds: 5400,
    reasons: [{ reason: "quota", gpu_hours: 50, workload_hours: 10 }],
    curve: [
      { at: "2026-03-01T00:00:00Z", held_gpus: 4, wanted_gpus: 6 },
      { at: "2026-03-02T00:00:00Z", held_gpus: 4, wanted_gpus: 5 },
    ],
    ...given,
  };
}

const type = {
  gpu_type: "H100",
  gpus: 8,
  workloads: 40,
  before_seconds: 7200,
  after_seconds: 3000,
  more: 4,
  tried_most: 8,
  teams: [{ team: "nlp", workloads: 20, before_seconds: 7200, after_seconds: 3000 }],
  note: "",
};

function planOf(given: Partial<CapacityPlan>): CapacityPlan {
  return {
    id: "p-1",
    state: "running",
    progress: 0.25,
    doing: "Trying 4 more H100",
    error: "",
    result: null,
    ...given,
  };
}

function served() {
  return serverCreate()
    .on("GET /api/v1/auth/me", () => identityOf({ administrator: true }))
    .on("GET /api/v1/quotas", () => ({ items: [], capacity: [], half_life_seconds: 1 }))
    .on("GET /api/v1/capacity/demand", () => ({
      by: "team",
      since: "2026-03-01T00:00:00Z",
      until: "2026-03-03T00:00:00Z",
      hours: 48,
      items: [demandOf("nlp"), demandOf("vision", { gpu_type: "", guarantee_gpus: 0 })],
    }));
}

test("demand stands against what is guaranteed, one row over time", async () => {
  served();
  consoleOpen("/planning");
  const table = await screen.findByRole("table", { name: "Demand against guarantees, in GPUs" });
  expect(table).toHaveTextContent("any of several");
  expect(table).toHaveTextContent("1 h 30 min");
  expect(screen.getByRole("figure", { name: "GPUs of nlp, H100" })).toBeVisible();
  await userEvent.click(within(table).getByRole("button", { name: "vision" }));
  expect(await screen.findByRole("figure", { name: "GPUs of vision, any type" })).toBeVisible();
  expect(await faults()).toEqual([]);
});

test("a plan is asked for, tells how far it is, and what came out", async () => {
  const running = planOf({});
  const done = planOf({
    state: "done",
    progress: 1,
    result: {
      since: "2026-03-01T00:00:00Z",
      until: "2026-03-03T00:00:00Z",
      workloads: 40,
      target: 0.5,
      replays: 6,
      took_seconds: 3,
      finished: true,
      types: [type],
      calibration: {
        workloads: 40,
        recorded_mean_seconds: 7200,
        replayed_mean_seconds: 7100,
        recorded_median_seconds: 60,
        replayed_median_seconds: 60,
        near: 0.9,
      },
      assumptions: ["Nobody submits more because there is more."],
    },
  });
  let asked = 0;
  const server = served()
    .on("POST /api/v1/capacity/plans", () => running)
    .on("GET /api/v1/capacity/plans/p-1", () => {
      asked += 1;
      return asked > 1 ? done : running;
    });
  consoleOpen("/planning");
  await userEvent.click(await screen.findByRole("button", { name: "Work it out" }));
  expect(await screen.findByRole("progressbar")).toHaveAttribute("aria-valuenow", "25");
  expect(await server.last("POST", "/api/v1/capacity/plans")?.json()).toEqual({
    days: 7,
    target: 0.5,
    gpu_types: [],
    most: 1024,
  });
  const found = await screen.findByRole("region", { name: "H100" }, { timeout: 5000 });
  expect(found).toHaveTextContent("+4 H100");
  expect(found).toHaveTextContent("from 2 h to 50 min");
  expect(await faults()).toEqual([]);
});

test("why there is no plan is said", async () => {
  served().on(
    "POST /api/v1/capacity/plans",
    () => new Refused(409, { detail: "Too little work was recorded." }),
  );
  consoleOpen("/planning");
  await userEvent.click(await screen.findByRole("button", { name: "Work it out" }));
  expect(await screen.findByText("Too little work was recorded.")).toBeVisible();
});

test("what came out of a type in a sentence", () => {
  expect(typeInSentence({ ...type, more: null }, 0.25)).toBe(
    "Not even 8 more H100 would have brought the mean wait of 2 h to a quarter.",
  );
  expect(typeInSentence({ ...type, more: 0 }, 0.5)).toContain("no more H100 are needed");
  expect(typeInSentence({ ...type, workloads: 0 }, 0.5)).toContain("No work waited");
});
