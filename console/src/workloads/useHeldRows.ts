/** Keeps rows where they are while the pointer is on the list. */
import { useState } from "react";
import type { Workload } from "../api/types";

interface Held {
  rows: Workload[];
  /** How many came in on top and wait until the list is let go. */
  waiting: number;
}

/** While `held`, rows change in place but none comes, goes or moves; more may be loaded below. */
export function useHeldRows(rows: Workload[], held: boolean): Held & { release: () => void } {
  const [kept, setKept] = useState<Workload[] | null>(null);
  const release = () => setKept(null);
  if (!held && kept) setKept(null);
  if (held && !kept) setKept(rows);
  return held && kept ? { ...heldRows(kept, rows), release } : { rows, waiting: 0, release };
}

export function heldRows(kept: readonly Workload[], rows: readonly Workload[]): Held {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const known = new Set(kept.map((row) => row.id));
  const lastKept = kept.at(-1);
  const lastAt = lastKept ? rows.findIndex((row) => row.id === lastKept.id) : -1;
  const unknown = rows.filter((row) => !known.has(row.id));
  const loaded = lastAt < 0 ? [] : rows.slice(lastAt + 1).filter((row) => !known.has(row.id));
  return {
    rows: [...kept.map((row) => byId.get(row.id) ?? row), ...loaded],
    waiting: unknown.length - loaded.length,
  };
}
