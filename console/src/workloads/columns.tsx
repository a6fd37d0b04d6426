/** The columns that the list can have: what they are called, how wide, by what they sort. */
import type { ReactNode } from "react";
import type { Workload, WorkloadSort } from "../api/types";
import { Copyable } from "../frame/Copyable";
import { milliInWords } from "../quantity/words";
import { Duration, RelativeTime } from "../time/Times";
import { rowInWords } from "./progress";
import { ReplicaProgress } from "./ReplicaProgress";
import { StateBadge } from "./StateIcon";
import { capitalised } from "./state";

export interface Column {
  id: ColumnId;
  name: string;
  /** Pixels; undefined takes what is left. The name's own width is the table's. */
  width?: number;
  /** Numbers and times stand at the right, so that their digits line up. */
  right?: boolean;
  sort?: WorkloadSort;
  cell: (workload: Workload) => ReactNode;
  /** What the pointer is told, where the cell may be cut short. */
  title?: (workload: Workload) => string;
}

export const columnIds = [
  "state",
  "name",
  "project",
  "team",
  "kind",
  "detail",
  "resources",
  "gpus",
  "replicas",
  "priority",
  "owner",
  "submitted",
  "waiting",
  "started",
  "ended",
  "duration",
  "limit",
  "labels",
  "id",
] as const;

export type ColumnId = (typeof columnIds)[number];

export const usualColumns: readonly ColumnId[] = [
  "state",
  "name",
  "project",
  "kind",
  "detail",
  "resources",
  "replicas",
  "owner",
  "submitted",
];

const described: Record<ColumnId, Omit<Column, "id">> = {
  state: {
    name: "State",
    width: 120,
    sort: "state",
    cell: ({ state }) => <StateBadge state={state} />,
  },
  name: { name: "Name", sort: "name", cell: ({ name }) => name },
  project: {
    name: "Project",
    width: 132,
    sort: "project",
    cell: ({ project }) => project,
    title: ({ project }) => project,
  },
  team: { name: "Team", width: 104, cell: ({ team }) => team, title: ({ team }) => team },
  kind: { name: "Kind", width: 92, sort: "kind", cell: ({ kind }) => capitalised(kind) },
  detail: { name: "Detail", cell: detailCell, title: rowInWords },
  resources: {
    name: "Each replica",
    width: 232,
    cell: ({ resources }) => resources.text,
    title: ({ resources }) => resources.text,
  },
  gpus: { name: "GPUs", width: 64, right: true, sort: "gpus", cell: gpusInWords },
  replicas: {
    name: "Replicas",
    width: 112,
    cell: ({ replicas, state }) => <ReplicaProgress counts={replicas} state={state} />,
  },
  priority: {
    name: "Priority",
    width: 72,
    right: true,
    sort: "priority",
    cell: ({ priority }) => priority,
  },
  owner: {
    name: "Owner",
    width: 108,
    sort: "owner",
    cell: ({ owner }) => owner,
    title: ({ owner }) => owner,
  },
  submitted: {
    name: "Submitted",
    width: 112,
    right: true,
    sort: "submitted",
    cell: ({ submitted_at }) => <RelativeTime at={submitted_at} />,
  },
  waiting: {
    name: "Waiting since",
    width: 112,
    right: true,
    cell: ({ state, queued_at }) => state === "queued" && <RelativeTime at={queued_at} />,
  },
  started: {
    name: "Started",
    width: 112,
    right: true,
    sort: "started",
    cell: ({ started_at }) => started_at && <RelativeTime at={started_at} />,
  },
  ended: {
    name: "Ended",
    width: 112,
    right: true,
    sort: "ended",
    cell: ({ ended_at }) => ended_at && <RelativeTime at={ended_at} />,
  },
  duration: {
    name: "Duration",
    width: 112,
    right: true,
    cell: ({ started_at, ended_at }) =>
      started_at && <Duration start={started_at} end={ended_at ?? null} />,
  },
  limit: { name: "Time limit", width: 92, right: true, cell: limitInWords },
  labels: { name: "Labels", width: 200, cell: labelsInWords, title: labelsInWords },
  id: { name: "Id", width: 196, cell: ({ id }) => <Copyable text={id} /> },
};

export function columnsRead(text: string | undefined): readonly ColumnId[] {
  const known = new Set<ColumnId>();
  for (const each of text?.split(/[ ,]+/) ?? []) {
    if (columnIds.includes(each as ColumnId)) known.add(each as ColumnId);
  }
  if (known.size === 0) return usualColumns;
  // A row without its name could not be opened.
  return known.has("name") ? [...known] : ["name", ...known];
}

/** As the address has them; undefined when they are the usual ones. */
export function columnsText(ids: readonly ColumnId[]): string | undefined {
  const text = ids.join(" ");
  return text === usualColumns.join(" ") ? undefined : text;
}

export function columnOf(id: ColumnId): Column {
  return { id, ...described[id] };
}

function detailCell(workload: Workload): ReactNode {
  const words = rowInWords(workload);
  if (words) return words;
  const { state, started_at, ended_at } = workload;
  if (!started_at) return null;
  if (state === "running") {
    return (
      <>
        Running for <Duration start={started_at} />
      </>
    );
  }
  return (
    ended_at && (
      <>
        Took <Duration start={started_at} end={ended_at} />
      </>
    )
  );
}

/** Of all replicas together. */
function gpusInWords({ resources, gpu_milli }: Workload): string {
  if (gpu_milli) return milliInWords(gpu_milli);
  return resources.mig_profile || resources.gpu_share_bytes ? "shared" : "";
}

function limitInWords({ max_runtime_seconds }: Workload): string {
  if (!max_runtime_seconds) return "none";
  const hours = max_runtime_seconds / 3600;
  return hours >= 1
    ? `${hours.toLocaleString("en", { maximumFractionDigits: 1 })} h`
    : `${Math.ceil(max_runtime_seconds / 60)} min`;
}

function labelsInWords({ labels }: Workload): string {
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");
}
