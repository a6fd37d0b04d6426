import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { QuotaChange } from "../api/types";
import { quotasOf } from "../queue/queueDocuments";
import { consoleOpen, serverCreate } from "../testing/console";
import { identityOf, pageOf } from "../testing/documents";
import { faults } from "../testing/faults";
import { changesInWords } from "./history";

const change: QuotaChange = {
  id: 3,
  level: "project",
  name: "vision",
  at: "2026-03-01T09:00:00Z",
  username: "ana",
  before: { weight: 1, guarantees: { H100: 4000 }, limits: {}, per_user: {}, ceilings: {} },
  after: {
    weight: 2,
    guarantees: { H100: 8000 },
    limits: { all: 16_000 },
    per_user: { H100: 2000 },
    ceilings: { memory_bytes: 64 * 2 ** 30 },
  },
};

function served() {
  const quotas = quotasOf();
  const vision = quotas.items.at(-1);
  if (vision) {
    vision.counted = [
      { counted: "cpu_milli", limit: null, used: 3000 },
      { counted: "workspaces", limit: 4, used: 4 },
    ];
  }
  return serverCreate()
    .on("GET /api/v1/auth/me", () => identityOf({ administrator: true }))
    .on("GET /api/v1/quotas", () => quotas)
    .on("GET /api/v1/quotas/history", () => pageOf([change]))
    .on("GET /api/v1/queue", () => ({ ...pageOf([]), length: 0, hidden: 0, projects: [] }));
}

test("quotas stand with what is no GPU, and with their history", async () => {
  served();
  consoleOpen("/quotas");
  const beside = await screen.findByRole("table", { name: "Held against limits, beside GPUs" });
  expect(within(beside).getByRole("meter", { name: "Workspaces of vision" })).toHaveAttribute(
    "aria-valuetext",
    "4 of 4",
  );
  expect(await screen.findByRole("list", { name: "History of quotas" })).toHaveTextContent(
    "H100 guaranteed: 4 → 8",
  );
  expect(await faults()).toEqual([]);
});

test("who would be affected is told before anything is saved", async () => {
  const server = served().on("POST /api/v1/quotas/project/vision/preview", () => ({
    sentence: "1 workload would start later.",
    looked_at: change.at,
    looked_at_starts: 1,
    hidden: {},
    stopped: [],
    spared: [],
    earlier: [],
    later: [
      {
        workload: { id: "w-1", name: "train", project: "vision", owner: "ben" },
        before: change.at,
        after: "2026-03-02T09:00:00Z",
        why: "",
      },
    ],
    never: [],
    possible: [],
    fresh: [],
    reasons: [],
  }));
  consoleOpen("/quotas");
  await userEvent.click(await screen.findByRole("button", { name: "Change the quota of vision" }));
  const form = screen.getByRole("form", { name: "Quota of vision" });
  await userEvent.type(within(form).getByLabelText("Per person of H100"), "2");
  await userEvent.type(within(form).getByLabelText("Memory, GiB"), "64");
  await userEvent.click(within(form).getByRole("button", { name: "Who would be affected?" }));
  expect(await within(form).findByText("1 workload would start later.")).toBeVisible();
  const asked = await server.last("POST", "/api/v1/quotas/project/vision/preview")?.json();
  expect(asked.gpus.H100.per_user_milli).toBe(2000);
  expect(asked.ceilings).toEqual({ memory_bytes: 64 * 2 ** 30, workspaces: 4 });
  expect(server.last("PUT", "/api/v1/quotas/project/vision")).toBeUndefined();
  expect(await faults()).toEqual([]);
});

test("a change says each part that is another", () => {
  expect(changesInWords(change)).toEqual([
    "Weight: 1 → 2",
    "H100 guaranteed: 4 → 8",
    "All types at most: no limit → 16",
    "H100 per person: no cap → 2",
    "Memory: no limit → 64 GiB",
  ]);
  expect(changesInWords({ ...change, after: null })).toContain("H100 guaranteed: 4 → nothing");
});
