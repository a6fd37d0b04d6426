/** Pages of a log, as the server reads them. */
import { answered, api } from "../../api/client";
import type { LogPage } from "../../api/types";

export type { LogPage };

/** Whose log: of one workload, of some ranks or all, of the latest attempt or an earlier one. */
export interface LogOf {
  id: string;
  /** All if none. */
  ranks: readonly number[];
  attempt: number | null;
}

export interface PageQuery {
  limit: number;
  before?: string;
  after?: string;
  around?: string;
  q?: string;
}

export function logPageFetch(
  { id, ranks, attempt }: LogOf,
  query: PageQuery,
  signal?: AbortSignal,
): Promise<LogPage> {
  return answered(
    api.GET("/api/v1/workloads/{workload_id}/logs/lines", {
      params: {
        path: { workload_id: id },
        query: { ...query, rank: [...ranks], ...(attempt !== null && { attempt }) },
      },
      ...(signal && { signal }),
    }),
  );
}

/** The address of the log itself, for following it or for a download. */
export function logAddress(
  { id, ranks, attempt }: LogOf,
  query: Record<string, string | number | boolean> = {},
): string {
  const search = new URLSearchParams();
  for (const rank of ranks) search.append("rank", String(rank));
  if (attempt !== null) search.append("attempt", String(attempt));
  for (const [name, value] of Object.entries(query)) search.append(name, String(value));
  const words = search.size > 0 ? `?${search}` : "";
  return `/api/v1/workloads/${encodeURIComponent(id)}/logs${words}`;
}
