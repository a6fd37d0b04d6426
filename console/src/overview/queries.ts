/** What the overview reads. It is read once; then the live feed keeps it true. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { answered, api } from "../api/client";
import type { Capacity, Change, Overview, WorkloadPage } from "../api/types";
import { type RangeSearch, rangeOf, type Span } from "../charts/range";
import { useProject } from "../projects/scope";
import { useIdentity } from "../session/queries";
import { useGathered } from "../stream/useGathered";
import { useTopic } from "../stream/useTopic";
import { useTimeZone } from "../time/zone";
import { capacityGrown } from "./capacity";
import { activeStates, mineChanged } from "./mine";

export const overviewKeys = {
  now: (project: string | null, zone: string) => ["overview", "now", project, zone] as const,
  capacities: ["overview", "capacity"] as const,
  capacity: (range: RangeSearch) => ["overview", "capacity", range] as const,
  mine: (project: string | null, owner: string) => ["overview", "mine", project, owner] as const,
};

/** Returning to the page shows what was known, while all is read again. */
const kept = {
  staleTime: Number.POSITIVE_INFINITY,
  refetchOnMount: "always",
} as const;

export function useOverview() {
  const queries = useQueryClient();
  const project = useProject() ?? null;
  const zone = useTimeZone();
  const key = overviewKeys.now(project, zone);
  useTopic("overview", {
    onEvent: (news: Overview) => {
      queries.setQueryData<Overview>(key, news);
      queries.setQueriesData<Capacity>({ queryKey: overviewKeys.capacities }, (capacity) =>
        capacity ? capacityGrown(capacity, news) : undefined,
      );
    },
    onResync: () => {
      void queries.invalidateQueries({ queryKey: key });
      void queries.invalidateQueries({ queryKey: overviewKeys.capacities });
    },
  });
  return useQuery({
    queryKey: key,
    queryFn: ({ signal }): Promise<Overview> =>
      answered(
        api.GET("/api/v1/overview", {
          params: { query: { time_zone: zone, ...(project && { project }) } },
          signal,
        }),
      ),
    ...kept,
  });
}

export const CAPACITY_POINTS = 288;
export const CAPACITY_SPAN: Span = "24h";

export function useCapacity(range: RangeSearch) {
  return useQuery({
    queryKey: overviewKeys.capacity(range),
    queryFn: ({ signal }): Promise<Capacity> => {
      const { from, to, live } = rangeOf(range, Date.now(), { usual: CAPACITY_SPAN });
      return answered(
        api.GET("/api/v1/overview/capacity", {
          params: {
            query: {
              points: CAPACITY_POINTS,
              since: new Date(from).toISOString(),
              ...(!live && { until: new Date(to).toISOString() }),
            },
          },
          signal,
        }),
      );
    },
    placeholderData: keepPreviousData,
    ...kept,
  });
}

const MINE_LIMIT = 200;
/** Changes are gathered this long, so that a thousand a second still draw five times. */
const GATHER_MS = 200;

/** One's own work that has not ended. */
export function useMine() {
  const queries = useQueryClient();
  const project = useProject() ?? null;
  const { username } = useIdentity();
  const key = overviewKeys.mine(project, username);
  const gathered = useRef<Change[]>([]);
  const flush = useGathered(() => {
    const changes = gathered.current;
    gathered.current = [];
    queries.setQueryData<WorkloadPage>(key, (page) => page && mineChanged(page, changes));
  }, GATHER_MS);

  useTopic("workloads", {
    onEvent: (change) => {
      const { owner, project: its } = change.workload;
      if (owner !== username || (project !== null && its !== project)) return;
      gathered.current.push(change);
      flush();
    },
    onResync: () => void queries.invalidateQueries({ queryKey: key }),
  });

  return useQuery({
    queryKey: key,
    queryFn: ({ signal }): Promise<WorkloadPage> =>
      answered(
        api.GET("/api/v1/workloads", {
          params: {
            query: {
              owner: username,
              state: [...activeStates],
              limit: MINE_LIMIT,
              ...(project && { project: [project] }),
            },
          },
          signal,
        }),
      ),
    ...kept,
  });
}
