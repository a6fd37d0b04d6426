/** The queue, the plan and the shares as the server knows them. The live feed says when to read
 * them again. */
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { QuotaLevel, QuotaRequest } from "../api/types";
import { useGathered } from "../stream/useGathered";
import { useTopic } from "../stream/useTopic";

const queueKeys = {
  list: ["queue", "list"] as const,
  plan: ["queue", "plan"] as const,
  shares: ["queue", "shares"] as const,
  history: ["queue", "history"] as const,
};
const PAGE = 100;
const NODES = 200;
const HOUR_MS = 3_600_000;
const LIST_REREAD_MS = 1_000;
/** A plan of a large cluster is long, so it is read again no more often than this. */
const PLAN_REREAD_MS = 2_000;

export function useQueue(project: string | undefined) {
  return useInfiniteQuery({
    queryKey: [...queueKeys.list, project ?? ""],
    queryFn: ({ pageParam, signal }) =>
      answered(
        api.GET("/api/v1/queue", {
          params: {
            query: {
              limit: PAGE,
              ...(project && { project }),
              ...(pageParam && { cursor: pageParam }),
            },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
}

export function usePlan(hours: number) {
  return useQuery({
    queryKey: [...queueKeys.plan, hours],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/queue/plan", { params: { query: { hours, nodes: NODES } }, signal }),
      ),
    placeholderData: keepPreviousData,
    // Where nothing happens, time goes on all the same, and the line has to begin anew.
    refetchInterval: (hours * HOUR_MS) / 24,
  });
}

export function useShares() {
  return useQuery({
    queryKey: queueKeys.shares,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/quotas", { signal })),
  });
}

/** Sets one share's quota in place of what was set before. */
export function useQuotaSet(level: QuotaLevel, name: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: QuotaRequest) =>
      answered(
        api.PUT("/api/v1/quotas/{level}/{name}", { params: { path: { level, name } }, body }),
      ),
    onSuccess: () =>
      Promise.all(
        [queueKeys.shares, queueKeys.history].map((queryKey) =>
          queries.invalidateQueries({ queryKey }),
        ),
      ),
  });
}

/** Who would be affected if the quota were set so. */
export function useQuotaPreview(level: QuotaLevel, name: string) {
  return useMutation({
    mutationFn: (body: QuotaRequest) =>
      answered(
        api.POST("/api/v1/quotas/{level}/{name}/preview", {
          params: { path: { level, name } },
          body,
        }),
      ),
  });
}

/** Who changed which quota, newest first. */
export function useQuotaHistory() {
  return useInfiniteQuery({
    queryKey: queueKeys.history,
    queryFn: ({ pageParam, signal }) =>
      answered(
        api.GET("/api/v1/quotas/history", {
          params: { query: { limit: 20, ...(pageParam && { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

/** Reads again when workloads or nodes change: the list at most once a second, the rest of the
 * page less often. */
export function useQueueLive(): void {
  const queries = useQueryClient();
  const listAgain = useGathered(
    () => void queries.invalidateQueries({ queryKey: queueKeys.list }),
    LIST_REREAD_MS,
  );
  const planAgain = useGathered(() => {
    void queries.invalidateQueries({ queryKey: queueKeys.plan });
    void queries.invalidateQueries({ queryKey: queueKeys.shares });
  }, PLAN_REREAD_MS);
  const allAgain = () => {
    listAgain();
    planAgain();
  };
  useTopic("workloads", {
    onEvent: ({ event, workload }) => {
      if (workload.state === "queued" || event.rank == null) allAgain();
    },
    onResync: allAgain,
  });
  useTopic("nodes", { onEvent: planAgain, onResync: planAgain });
}
