/** Brings changes of workloads into the lists on the screen, and reads again what they moved. */
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import type { Workload, WorkloadPage } from "../api/types";
import { rowsMove, windowChanged } from "./changes";
import type { WorkloadFilters } from "./filters";
import { workloadKeys } from "./queries";

/** Lists whose rows moved are read again at most this often, counts still more seldom. */
const REREAD_MS = 1_000;
const RECOUNT_MS = 5_000;

export function listsChange(
  queries: QueryClient,
  changed: ReadonlyMap<string, Workload>,
  fresh: ReadonlySet<string>,
): void {
  if (changed.size === 0) return;
  const lists = new Map<string, { filters: WorkloadFilters; held: Map<string, Workload> }>();
  for (const [key, page] of queries.getQueriesData<WorkloadPage>({
    queryKey: workloadKeys.lists,
  })) {
    const filters = key[2] as WorkloadFilters;
    const name = JSON.stringify(filters);
    const list = lists.get(name) ?? { filters, held: new Map() };
    lists.set(name, list);
    if (!page) continue;
    for (const item of page.items) list.held.set(item.id, item);
    // To write into what is to be read again would make it pass for true.
    const query = queries.getQueryCache().find({ queryKey: key });
    if (query?.state.isInvalidated && !query.isActive()) continue;
    const next = windowChanged(page, changed);
    if (next !== page) queries.setQueryData(key, next);
  }
  for (const { filters, held } of lists.values()) {
    if (rowsMove(held, changed, fresh, filters)) {
      rereadOf(queries).soon(workloadKeys.list(filters), REREAD_MS);
    }
  }
  rereadOf(queries).soon(workloadKeys.counts, RECOUNT_MS);
}

/** Reads lists again: the first change at once, those that follow it together. */
class Reread {
  private readonly last = new Map<string, number>();
  private readonly waiting = new Set<string>();

  constructor(private readonly queries: QueryClient) {}

  soon(key: QueryKey, everyMs: number): void {
    const name = JSON.stringify(key);
    if (this.waiting.has(name)) return;
    this.waiting.add(name);
    const passed = performance.now() - (this.last.get(name) ?? Number.NEGATIVE_INFINITY);
    setTimeout(() => void this.now(name, key), Math.max(0, everyMs - passed));
  }

  private async now(name: string, key: QueryKey): Promise<void> {
    // What comes while it is read asks for one more reading.
    this.waiting.delete(name);
    this.last.set(name, performance.now());
    // A reading that takes long is not given up for the next, or none would ever end.
    const reading = this.queries.isFetching({ queryKey: key }) > 0;
    await this.queries.invalidateQueries({ queryKey: key }, { cancelRefetch: false });
    if (reading) this.soon(key, REREAD_MS);
    if (this.last.size > 50) this.last.clear();
  }
}

const rereads = new WeakMap<QueryClient, Reread>();

function rereadOf(queries: QueryClient): Reread {
  const held = rereads.get(queries) ?? new Reread(queries);
  rereads.set(queries, held);
  return held;
}
