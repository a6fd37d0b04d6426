/** Keeps the cache true by the server's live feed. The frame uses it once for all pages. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import type { Change, WorkloadDetail } from "../api/types";
import { nodeKeys } from "../nodes/queries";
import { useTopic } from "../stream/useTopic";
import { detailChanged, type EventPages, eventsChanged, newest, submitted } from "./changes";
import { listsChange } from "./listChange";
import { workloadKeys } from "./queries";

/** Changes are gathered this long, so that a thousand a second still draw five times. */
const GATHER_MS = 200;
/** What the feed does not carry (devices, replicas, reasons) is read again at most this often. */
const REREAD_MS = 1_000;

export function useWorkloadStream(): void {
  const queries = useQueryClient();
  const gathered = useMemo(() => new Gathered(queries), [queries]);
  useEffect(() => () => gathered.stop(), [gathered]);
  useTopic("workloads", {
    onEvent: (change) => gathered.add(change),
    onResync: () => void queries.invalidateQueries({ queryKey: workloadKeys.all }),
  });
}

class Gathered {
  private changes: Change[] = [];
  private flushTimer: ReturnType<typeof setTimeout> | undefined;
  private rereadTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly toReread = new Set<string>();

  constructor(private readonly queries: QueryClient) {}

  add(change: Change): void {
    this.changes.push(change);
    this.flushTimer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  stop(): void {
    clearTimeout(this.flushTimer);
    clearTimeout(this.rereadTimer);
    this.flushTimer = undefined;
    this.rereadTimer = undefined;
  }

  private flush(): void {
    this.flushTimer = undefined;
    const changes = this.changes;
    this.changes = [];
    changesApply(this.queries, changes);
    for (const { workload } of changes) this.toReread.add(workload.id);
    this.rereadTimer ??= setTimeout(() => this.reread(), REREAD_MS);
  }

  private reread(): void {
    this.rereadTimer = undefined;
    for (const id of this.toReread) {
      void this.queries.invalidateQueries({ queryKey: workloadKeys.detail(id) });
      void this.queries.invalidateQueries({ queryKey: workloadKeys.explain(id) });
    }
    this.toReread.clear();
    void this.queries.invalidateQueries({ queryKey: nodeKeys.list });
  }
}

export function changesApply(queries: QueryClient, changes: readonly Change[]): void {
  const changed = newest(changes);
  listsChange(queries, changed, submitted(changes));
  for (const [id, workload] of changed) {
    queries.setQueryData<WorkloadDetail>(workloadKeys.detail(id), (detail) =>
      detail ? detailChanged(detail, workload) : undefined,
    );
  }
  for (const { event } of changes) {
    queries.setQueryData<EventPages>(workloadKeys.events(event.workload_id), (pages) =>
      pages ? eventsChanged(pages, event) : undefined,
    );
  }
}
