/** Keeps the cache true by the server's live feed. The frame opens it once for all pages. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Change, WorkloadDetail } from "../api/types";
import { nodeKeys } from "../nodes/queries";
import { sessionRecheck } from "../session/queries";
import { statusSet } from "../stream/status";
import { Stream } from "../stream/stream";
import {
  detailChanged,
  type EventPages,
  eventsChanged,
  listChanged,
  newest,
  type WorkloadPages,
} from "./changes";
import type { WorkloadFilters } from "./filters";
import { workloadKeys } from "./queries";

/** Changes are gathered this long, so that a thousand a second still draw five times. */
const GATHER_MS = 200;
/** What the feed does not carry (devices, replicas, reasons) is read again at most this often. */
const REREAD_MS = 1_000;

export function useWorkloadStream(): void {
  const queries = useQueryClient();
  useEffect(() => {
    const gathered = new Gathered(queries);
    const reread = () => void queries.invalidateQueries({ queryKey: workloadKeys.all });
    const stream = new Stream({
      url: (after) => `/api/v1/workloads/stream${after ? `?after=${after}` : ""}`,
      events: {
        change: (data) => gathered.add(data as Change),
        // More happened than the server kept for us.
        resync: reread,
      },
      onStatus: statusSet,
      onOpen: reread,
      // A stream does not say why it ended; asking who is signed in finds an ended session.
      onLost: () => sessionRecheck(queries),
    });
    stream.start();
    return () => {
      stream.stop();
      gathered.stop();
    };
  }, [queries]);
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
  for (const [key, pages] of queries.getQueriesData<WorkloadPages>({
    queryKey: workloadKeys.lists,
  })) {
    if (pages) queries.setQueryData(key, listChanged(pages, changed, key[2] as WorkloadFilters));
  }
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
