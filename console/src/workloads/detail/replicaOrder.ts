/** Which replicas are shown and in what order. Pure; the address says which. */
import type { Replica } from "../../api/types";

export const replicaColumns = ["rank", "state", "node", "started", "ran", "end"] as const;
export type ReplicaColumn = (typeof replicaColumns)[number];

export interface ReplicaOrder {
  column: ReplicaColumn;
  down: boolean;
}

/** `-ran` → by how long they ran, longest first. */
export function orderRead(text: string | undefined): ReplicaOrder {
  const down = text?.startsWith("-") ?? false;
  const column = replicaColumns.find((each) => each === text?.slice(down ? 1 : 0));
  return column ? { column, down } : { column: "rank", down: false };
}

/** undefined for the usual order. */
export function orderWritten({ column, down }: ReplicaOrder): string | undefined {
  return column === "rank" && !down ? undefined : `${down ? "-" : ""}${column}`;
}

/** What needs a look comes first when sorted by state. */
const stateOrder = [
  "failed",
  "running",
  "starting",
  "scheduled",
  "stopping",
  "waiting",
  "cancelled",
  "succeeded",
];

export function replicasShown(
  replicas: readonly Replica[],
  state: string | undefined,
  { column, down }: ReplicaOrder,
  nowMs: number,
): Replica[] {
  const shown = state ? replicas.filter((each) => each.state === state) : [...replicas];
  const value = sortValues[column];
  const sign = down ? -1 : 1;
  return shown.sort((a, b) => {
    const one = value(a, nowMs);
    const other = value(b, nowMs);
    // What has no value comes last whichever way.
    if (one === null || other === null)
      return one === other ? a.rank - b.rank : one === null ? 1 : -1;
    return (one < other ? -sign : one > other ? sign : 0) || a.rank - b.rank;
  });
}

const sortValues: Record<
  ReplicaColumn,
  (replica: Replica, nowMs: number) => number | string | null
> = {
  rank: ({ rank }) => rank,
  state: ({ state }) => stateOrder.indexOf(state),
  node: ({ node }) => node ?? null,
  started: ({ started_at }) => (started_at ? Date.parse(started_at) : null),
  ran: ({ started_at, ended_at }, nowMs) =>
    started_at ? (ended_at ? Date.parse(ended_at) : nowMs) - Date.parse(started_at) : null,
  end: ({ exit_code, signal }) => (signal != null ? 1000 + signal : (exit_code ?? null)),
};
