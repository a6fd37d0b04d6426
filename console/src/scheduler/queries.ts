/** The scheduler's cycles as the server keeps them. The live feed says when to read them again. */
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { useGathered } from "../stream/useGathered";
import { useTopic } from "../stream/useTopic";

const keys = {
  all: ["scheduler"] as const,
  minutes: ["scheduler", "minutes"] as const,
  cycles: ["scheduler", "cycles"] as const,
  preemptions: ["scheduler", "preemptions"] as const,
  calibration: ["scheduler", "calibration"] as const,
};
const PAGE = 20;
const POINTS = 240;
/** The server writes its records a moment after each cycle. */
const REREAD_MS = 3_000;
const MINUTE_MS = 60_000;

/** `until` is null while the range ends now. */
export function useMinutes(since: number, until: number | null) {
  const from = Math.floor(since / MINUTE_MS) * MINUTE_MS;
  return useQuery({
    queryKey: [...keys.minutes, from, until],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/scheduler/minutes", {
          params: {
            query: {
              since: new Date(from).toISOString(),
              points: POINTS,
              ...(until !== null && { until: new Date(until).toISOString() }),
            },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function useCycles() {
  return useInfiniteQuery({
    queryKey: keys.cycles,
    queryFn: ({ pageParam, signal }) =>
      answered(
        api.GET("/api/v1/scheduler/cycles", {
          params: { query: { limit: PAGE, ...(pageParam && { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

export function usePreemptions() {
  return useInfiniteQuery({
    queryKey: keys.preemptions,
    queryFn: ({ pageParam, signal }) =>
      answered(
        api.GET("/api/v1/scheduler/preemptions", {
          params: { query: { limit: PAGE, ...(pageParam && { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

export function useCalibration() {
  return useQuery({
    queryKey: keys.calibration,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/scheduler/calibration", { signal })),
  });
}

/** Decides one cycle again on the server; nothing is changed by it. */
export function useReplay(id: number) {
  return useMutation({
    mutationFn: () =>
      answered(
        api.POST("/api/v1/scheduler/cycles/{cycle_id}/replay", {
          params: { path: { cycle_id: id } },
        }),
      ),
  });
}

/** Where a cycle's record is downloaded from. */
export function recordAddress(id: number, anonymous: boolean): string {
  return `/api/v1/scheduler/cycles/${id}/record${anonymous ? "?anonymise=true" : ""}`;
}

/** Reads again when work or nodes change, a moment later; curves come by the minute. */
export function useSchedulerLive(): void {
  const queries = useQueryClient();
  const again = useGathered(() => {
    for (const queryKey of [keys.cycles, keys.preemptions, keys.calibration]) {
      void queries.invalidateQueries({ queryKey });
    }
  }, REREAD_MS);
  const allAgain = () => void queries.invalidateQueries({ queryKey: keys.all });
  useTopic("workloads", { onEvent: again, onResync: allAgain });
  useTopic("nodes", { onEvent: again, onResync: allAgain });
}
