/** What the pages read about workloads, and the cache keys that the live feed writes to. */
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { Page, WorkloadDetail, WorkloadEvent, WorkloadPage } from "../api/types";
import type { WorkloadFilters } from "./filters";

const PAGE_SIZE = 500;

/** What runs uses more and more, which no change in the live feed says. */
const USAGE_REREAD_MS = 15_000;
const EXPLAIN_REREAD_MS = 15_000;

export const workloadKeys = {
  all: ["workloads"] as const,
  lists: ["workloads", "list"] as const,
  list: (filters: WorkloadFilters) => ["workloads", "list", filters] as const,
  window: (filters: WorkloadFilters, start: number) =>
    ["workloads", "list", filters, start] as const,
  counts: ["workloads", "count"] as const,
  count: (filters: WorkloadFilters) => ["workloads", "count", filters] as const,
  detail: (id: string) => ["workloads", "detail", id] as const,
  events: (id: string) => ["workloads", "events", id] as const,
  explain: (id: string) => ["workloads", "explain", id] as const,
};

export function useWorkload(id: string) {
  return useQuery({
    queryKey: workloadKeys.detail(id),
    queryFn: ({ signal }): Promise<WorkloadDetail> =>
      answered(api.GET("/api/v1/workloads/{ref}", { params: { path: { ref: id } }, signal })),
    refetchInterval: ({ state }) => (state.data?.state === "running" ? USAGE_REREAD_MS : false),
  });
}

/** The name of a workload that some list on the screen has; undefined of any other. */
export function useKnownName(id: string): string | undefined {
  const windows = useQueryClient().getQueriesData<WorkloadPage>({ queryKey: workloadKeys.lists });
  for (const [, page] of windows) {
    const found = page?.items.find((item) => item.id === id);
    if (found) return found.name;
  }
  return undefined;
}

export function useWorkloadEvents(id: string) {
  return useInfiniteQuery({
    queryKey: workloadKeys.events(id),
    queryFn: ({ pageParam, signal }): Promise<Page<WorkloadEvent>> =>
      answered(
        api.GET("/api/v1/workloads/{workload_id}/events", {
          params: {
            path: { workload_id: id },
            query: { limit: PAGE_SIZE, ...(pageParam && { cursor: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });
}

export function useExplanation(id: string, enabled: boolean) {
  return useQuery({
    queryKey: workloadKeys.explain(id),
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/workloads/{workload_id}/explain", {
          params: { path: { workload_id: id } },
          signal,
        }),
      ),
    enabled,
    // Time alone brings ends nearer, and nobody tells.
    refetchInterval: EXPLAIN_REREAD_MS,
    placeholderData: keepPreviousData,
  });
}

export function useCancel(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      answered(
        api.POST("/api/v1/workloads/{workload_id}/cancel", {
          params: { path: { workload_id: id } },
          body: { reason: "" },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: workloadKeys.detail(id) }),
  });
}
