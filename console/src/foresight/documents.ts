/** What the scheduler foretells, as the tests need it. */
import type { DryRun, Explanation, OfferedChange } from "../api/types";

export function offeredOf(given: Partial<OfferedChange> = {}): OfferedChange {
  return {
    axis: "gpus",
    how: "resubmit",
    before: "4 GPUs",
    after: "2 GPUs",
    sentence: "With 2 GPUs instead of 4 GPUs it starts now.",
    fields: [{ field: "resources.gpus", value: 2 }],
    quota: [],
    places: [{ node: "node-1", replicas: 1 }],
    delays: 0,
    exact: true,
    ...given,
  };
}

export function explanationOf(given: Partial<Explanation> = {}): Explanation {
  return {
    workload_id: "w-1",
    state: "queued",
    headline: "Waits for 4 GPUs; 2 of 8 are free.",
    waiting: null,
    remedy: "",
    queue_position: 3,
    queue_length: 12,
    events: [],
    looked_at: "2026-03-01T10:00:00Z",
    starts_now: false,
    constraint: "gpus",
    groups: [
      { fell: "state", words: "cordoned", count: 1, nodes: ["node-9"] },
      {
        fell: "gpus",
        words: "2 of 8 GPUs free",
        count: 7,
        nodes: ["node-1", "node-2", "node-3", "node-4", "node-5"],
      },
    ],
    nodes_considered: 8,
    holders: [
      {
        workload: { id: "w-9", name: "other", project: "vision", owner: "bob" },
        gpu_milli: 3000,
        cpu_milli: 3000,
        replicas: 1,
        until: "2031-03-01T14:05:00Z",
        sure: true,
        ending: false,
        starts_now: false,
      },
      {
        workload: null,
        gpu_milli: 1000,
        cpu_milli: 1000,
        replicas: 1,
        until: null,
        sure: false,
        ending: false,
        starts_now: false,
      },
    ],
    holders_in_all: 5,
    position: {
      in_project: 2,
      project_waiting: 4,
      overall: 3,
      waiting: 12,
      turn: 3,
      ahead: [{ id: "w-8", name: "large", project: "vision", owner: "bob" }],
      ahead_hidden: 1,
    },
    quotas: [],
    eta: null,
    kept: true,
    kept_from: "2031-03-01T14:05:00Z",
    giving_way: [],
    changes: [offeredOf()],
    ...given,
  };
}

export function dryRunOf(given: Partial<DryRun> = {}): DryRun {
  const { groups = [], holders = [], position = null, changes = [] } = explanationOf();
  return {
    name: "train",
    project: "vision",
    kind: "batch",
    budgets: [],
    verdict: "waits",
    headline: "Waits for 4 GPUs; 2 of 8 are free.",
    remedy: "",
    places: [],
    eta: {
      early: "2031-03-01T14:05:00Z",
      likely: "2031-03-01T14:20:00Z",
      late: "2031-03-01T14:40:00Z",
    },
    position,
    constraint: "gpus",
    groups,
    nodes_considered: 8,
    holders,
    holders_in_all: 5,
    giving_way: [],
    delays: 0,
    displaces: 0,
    cost: {
      gpu_types: ["H100"],
      per_hour: { amount: "5.00", currency: "EUR" },
      likely: null,
      most: { amount: "15.00", currency: "EUR" },
    },
    quotas: [
      {
        level: "project",
        name: "vision",
        gpu_type: "H100",
        guarantee_milli: null,
        limit_milli: 8000,
        used_milli: 3000,
        after_milli: 7000,
      },
    ],
    changes,
    resolved: {},
    ...given,
  };
}
