/** Every replica of a workload: the detail's own list, or page after page where there are more. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { answered, api } from "../../api/client";
import type { Page, Replica, WorkloadDetail } from "../../api/types";
import { workloadKeys } from "../queries";
import { isEnded } from "../state";

const PAGE_SIZE = 500;
/** Thousands of them are read again from time to time, the first ones with every change. */
const REREAD_MS = 20_000;

export interface Replicas {
  replicas: Replica[];
  /** Of how many more is not known yet. */
  missing: number;
  error: Error | null;
  retry: () => void;
}

export function useReplicas({ id, replicas, replica_list, state }: WorkloadDetail): Replicas {
  const many = replicas.total > replica_list.length;
  const query = useInfiniteQuery({
    queryKey: [...workloadKeys.all, "replicas", id],
    queryFn: ({ pageParam, signal }): Promise<Page<Replica>> =>
      answered(
        api.GET("/api/v1/workloads/{workload_id}/replicas", {
          params: {
            path: { workload_id: id },
            query: { limit: PAGE_SIZE, ...(pageParam && { cursor: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
    enabled: many,
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: isEnded(state) ? false : REREAD_MS,
  });
  const { data, hasNextPage, isFetching, isError, fetchNextPage, refetch, error } = query;
  const read = data?.pages.length ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each page that was read.
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [read, hasNextPage, isFetching, isError, fetchNextPage]);

  if (!many) return { replicas: replica_list, missing: 0, error: null, retry: () => {} };
  const paged = data?.pages.flatMap((page) => page.items) ?? [];
  // The first ones are newer in the detail, which every change reads again.
  const all = [...replica_list, ...paged.filter(({ rank }) => rank >= replica_list.length)];
  return {
    replicas: all,
    missing: Math.max(0, replicas.total - all.length),
    error,
    retry: () => void (hasNextPage ? fetchNextPage() : refetch()),
  };
}
