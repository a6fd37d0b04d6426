/** Documents of the queue as the server answers them, for tests. */
import type { QueuePlan, Quotas } from "../api/types";
import type { TimelineNode, Turn } from "./plan";
import type { ShareGpus } from "./shares";

export const FROM = "2026-03-01T10:00:00Z";
export const UNTIL = "2026-03-02T10:00:00Z";

export function namedOf(name: string, project = "vision"): NonNullable<Turn["workload"]> {
  return {
    id: `w-${name}`,
    name,
    project,
    team: "research",
    owner: "ana",
    replicas: 1,
    groups: 0,
    resources: "8 × H100",
  };
}

export function turnOf(given: Partial<Turn> = {}): Turn {
  return {
    position: 1,
    workload: namedOf("train"),
    project: "vision",
    inside_guarantee: false,
    priority: 50,
    waits_for_ms: 3_600_000,
    share_ppm: 125_000,
    refusal: null,
    starts_at: null,
    eta: null,
    ...given,
  };
}

export function lineOf(given: Partial<TimelineNode> = {}): TimelineNode {
  return {
    name: "node-1",
    block: "",
    rack: "",
    nvlink: "",
    state: "ready",
    gpus: 8,
    gpu_types: ["H100"],
    running: [],
    planned: [],
    booked: [],
    free_milli: 8000,
    ...given,
  };
}

export function planOf(given: Partial<QueuePlan> = {}, nodes: TimelineNode[] = []): QueuePlan {
  return {
    made_at: FROM,
    order: "fair",
    preempt: "priority",
    turns: [],
    reservations: [],
    timeline: { from: FROM, until: UNTIL, nodes, nodes_left_out: 0 },
    preemptions: [],
    ...given,
  };
}

export function gpusOf(given: Partial<ShareGpus> = {}): ShareGpus {
  return {
    gpu_type: "H100",
    guarantee_milli: 0,
    set_guarantee_milli: given.guarantee_milli ?? 0,
    limit_milli: null,
    per_user_milli: null,
    used_milli: 0,
    borrowed_milli: 0,
    waiting_milli: 0,
    fair_milli: 0,
    recent_milli: 0,
    ...given,
  };
}

/** An organisation of 16 H100 with a team of two projects, of which one has a guarantee. */
export function quotasOf(more: Quotas["items"] = []): Quotas {
  const shared = { weight: 1, share: 0.1, team: null, counted: [] };
  return {
    items: [
      {
        ...shared,
        level: "organisation",
        name: "organisation",
        gpus: [gpusOf({ gpu_type: "all", used_milli: 12_000 }), gpusOf({ used_milli: 12_000 })],
      },
      {
        ...shared,
        level: "team",
        name: "research",
        gpus: [gpusOf({ gpu_type: "all", used_milli: 12_000 }), gpusOf({ used_milli: 12_000 })],
      },
      {
        ...shared,
        level: "project",
        name: "speech",
        team: "research",
        gpus: [gpusOf({ gpu_type: "all" })],
      },
      {
        ...shared,
        level: "project",
        name: "vision",
        team: "research",
        weight: 2,
        gpus: [
          gpusOf({ gpu_type: "all", used_milli: 12_000 }),
          gpusOf({
            guarantee_milli: 8000,
            limit_milli: 16_000,
            used_milli: 12_000,
            borrowed_milli: 4000,
            waiting_milli: 8000,
          }),
        ],
      },
      ...more,
    ],
    capacity: [{ gpu_type: "H100", gpu_milli: 16_000 }],
    half_life_seconds: 604_800,
  };
}
