/** The queue as the server knows it. The live feed says when to read it again. */
import { keepPreviousData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { useGathered } from "../stream/useGathered";
import { useTopic } from "../stream/useTopic";

const queueKey = ["queue"] as const;
const PAGE = 100;
const REREAD_MS = 1_000;

export function useQueue(project: string | undefined) {
  return useInfiniteQuery({
    queryKey: [...queueKey, project ?? ""],
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

/** Reads the queue again when workloads change, at most once a second. */
export function useQueueLive(): void {
  const queries = useQueryClient();
  const readAgain = useGathered(
    () => void queries.invalidateQueries({ queryKey: queueKey }),
    REREAD_MS,
  );
  useTopic("workloads", {
    onEvent: ({ event, workload }) => {
      if (workload.state === "queued" || event.rank == null) readAgain();
    },
    onResync: readAgain,
  });
}
