/** Documents as the server answers them, with what a test cares about put in. */
import type {
  About,
  Action,
  Device,
  Identity,
  Node,
  Notice,
  Notices,
  Overview,
  Token,
  Workload,
  WorkloadDetail,
  WorkloadEvent,
} from "../api/types";

const view: Action[] = ["workload:read", "log:read", "usage:read", "project:read", "node:read"];
const develop: Action[] = [
  ...view,
  "workload:submit",
  "workload:control",
  "secret:read",
  "secret:write",
];
const lead: Action[] = [...develop, "binding:read", "binding:set", "account:manage", "audit:read"];
export const operate: Action[] = [
  ...view,
  "workload:control",
  "node:control",
  "node:release",
  "policy:set",
  "booking:set",
  "pool:set",
  "layout:set",
  "scheduler:read",
  "cycle:export",
];
const everything: Action[] = [
  ...new Set([
    ...lead,
    ...operate,
    ...([
      "secret:rotate",
      "project:create",
      "project:change",
      "role:set",
      "user:read",
      "user:administer",
      "provider:set",
      "directory:write",
      "cluster:manage",
      "price:set",
      "quota:set",
      "audit:export",
      "audit:administer",
    ] as const),
  ]),
];
const actionsOf: Record<string, Action[]> = { viewer: view, developer: develop, lead };

/** What may be done follows from `administrator` and `roles`, unless a test says it itself. */
export function identityOf(given: Partial<Identity> = {}): Identity {
  const { administrator = false, roles = { vision: "developer" } } = given;
  return {
    username: "ana",
    display_name: "",
    kind: "person",
    source: "local",
    administrator,
    roles,
    everywhere: administrator ? everything : [],
    teams: {},
    projects: Object.fromEntries(
      Object.entries(roles).map(([project, role]) => [project, actionsOf[role] ?? view]),
    ),
    must_change_password: false,
    ...given,
  };
}

export function countsOf(given: Partial<Workload["replicas"]> = {}): Workload["replicas"] {
  return {
    total: 1,
    waiting: 0,
    scheduled: 0,
    starting: 0,
    running: 0,
    stopping: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    ...given,
  };
}

export function workloadOf(given: Partial<Workload> = {}): Workload {
  return {
    id: "w-1",
    name: "train",
    project: "vision",
    team: "research",
    owner: "ana",
    kind: "training",
    state: "running",
    cause: "started",
    message: "",
    priority: 50,
    resources: {
      cpu_milli: 4000,
      memory_bytes: 1 << 30,
      gpu_milli: 2000,
      gpu_share_bytes: 0,
      gpu_types: ["H100"],
      mig_profile: null,
      isolation: "none",
      text: "2 × H100 · 4 CPU · 1 GiB",
    },
    replicas: countsOf({ running: 1 }),
    gpu_milli: 2000,
    array: false,
    attempt: 1,
    retries: 0,
    submitted_at: "2026-03-01T09:00:00Z",
    queued_at: "2026-03-01T09:00:00Z",
    started_at: "2026-03-01T09:00:10Z",
    ended_at: null,
    deadline: null,
    max_runtime_seconds: null,
    waiting: null,
    labels: {},
    version: 1,
    ...given,
  };
}

export function detailOf(given: Partial<WorkloadDetail> = {}): WorkloadDetail {
  return {
    ...workloadOf(),
    submitted_spec: {},
    resolved_spec: { name: "train" },
    replica_list: [],
    depends_on: [],
    remedy: "",
    usage: { gpu_seconds: 0, cpu_seconds_allocated: 0, cpu_seconds_used: 0, memory_peak_bytes: 0 },
    ...given,
  };
}

export function eventOf(given: Partial<WorkloadEvent> = {}): WorkloadEvent {
  return {
    seq: 1,
    at: "2026-03-01T09:00:00Z",
    workload_id: "w-1",
    project: "vision",
    rank: null,
    kind: "WorkloadQueued",
    state: "queued",
    cause: "submitted",
    message: "",
    actor: "ana",
    ...given,
  };
}

export function deviceOf(given: Partial<Device> = {}): Device {
  return {
    id: "d-0",
    index: 0,
    uuid: "GPU-0",
    type: "H100",
    model: "NVIDIA H100 80GB HBM3",
    memory_bytes: 80 * 2 ** 30,
    mig_profile: null,
    mig: false,
    board: "",
    memory_slices: 0,
    pinned: false,
    share_milli: 0,
    virtual: false,
    healthy: true,
    mig_board: "",
    drift: "",
    fault: "",
    gpu_milli_used: 0,
    memory_bytes_used: 0,
    holders: [],
    ...given,
  };
}

export function nodeOf(given: Partial<Node> = {}): Node {
  return {
    name: "node-1",
    cluster: "",
    engine: "local",
    state: "ready",
    address: "10.0.0.1",
    labels: {},
    rack: "",
    block: "",
    nvlink: "",
    pool: "",
    cpu_milli: 8000,
    cpu_milli_used: 2000,
    memory_bytes: 16 * 2 ** 30,
    memory_bytes_used: 2 ** 30,
    devices: [],
    replicas: 0,
    given_up: 0,
    seen_at: "2026-03-01T09:00:00Z",
    ...given,
  };
}

export function noticeOf(given: Partial<Notice> = {}): Notice {
  return {
    seq: 1,
    at: "2026-03-01T09:00:00Z",
    level: "bad",
    sentence: "train failed: exit code 1.",
    workload_id: "w-1",
    workload_name: "train",
    project: "vision",
    budget: null,
    read: false,
    ...given,
  };
}

export function noticesOf(items: Notice[], unread?: number): Notices {
  return { items, next_cursor: null, unread: unread ?? items.filter((each) => !each.read).length };
}

export function projectOf(name: string) {
  return { name, team: "research", created_at: "2026-03-01T09:00:00Z" };
}

/** A cluster with one workload that runs, and nothing else to tell. */
export function overviewOf(given: Partial<Overview> = {}): Overview {
  return {
    at: "2026-03-01T09:00:00Z",
    gpus: [],
    workloads: { running: 1 },
    queue: {
      waiting: 0,
      wait_seconds_median: null,
      wait_seconds_max: null,
      gpu_milli_wanted: 0,
      reasons: [],
    },
    nodes: { ready: 1, cordoned: 0, lost: 0, unhealthy_devices: 0 },
    failed_last_day: 0,
    failed: [],
    finishing: [],
    gpu_hours: {
      today_gpu_seconds: 0,
      yesterday_gpu_seconds: 0,
      yesterday_so_far_gpu_seconds: 0,
      hours: [],
    },
    ...given,
  };
}

export function tokenOf(given: Partial<Token> = {}): Token {
  return {
    id: "t-1",
    name: "nightly",
    created_at: "2026-03-01T09:00:00Z",
    created_by: "ana",
    expires_at: null,
    last_used_at: null,
    kind: "token",
    source: "",
    user_agent: "",
    provider: "",
    current: false,
    ...given,
  };
}

export function aboutOf(given: Partial<About> = {}): About {
  return {
    version: "0.1.0",
    store: "sqlite",
    engines: ["local"],
    virtual_gpus: false,
    isolation: "users",
    isolation_words: "Each project's work runs as a Unix user of its own.",
    started_at: "2026-03-01T08:00:00Z",
    health: { ok: true, checks: [] },
    ...given,
  };
}

export function pageOf<Item>(items: Item[], next_cursor: string | null = null) {
  return { items, next_cursor };
}
