/** The nodes as the server knows them. The live feed says when to read them again. */
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { Node } from "../api/types";
import { useGathered } from "../stream/useGathered";
import { useTopic } from "../stream/useTopic";

export const nodeKeys = {
  all: ["nodes"] as const,
  list: ["nodes", "list"] as const,
  pools: ["nodes", "pools"] as const,
  fragmentation: ["nodes", "curves", "fragmentation"] as const,
  one: (name: string) => ["nodes", "one", name] as const,
  replicas: (name: string) => ["nodes", "replicas", name] as const,
  curves: (name: string, since: number, until: number | null) =>
    ["nodes", "curves", name, since, until] as const,
};

const PAGE = 500;
/** A large cluster is read again no more often than this. */
const REREAD_MS = 2_000;
/** A node that falls silent changes nothing at first, so it is looked for at this pace. */
const SILENCE_MS = 30_000;
const CURVE_STEP_MS = 10_000;
/** So often is noted what is stranded. */
const MINUTE_MS = 60_000;

export function useNodes() {
  return useQuery({
    queryKey: nodeKeys.list,
    queryFn: ({ signal }) => nodesRead(signal),
    refetchInterval: SILENCE_MS,
  });
}

async function nodesRead(signal: AbortSignal): Promise<Node[]> {
  const found: Node[] = [];
  let cursor: string | null | undefined;
  do {
    const query = { limit: PAGE, ...(cursor && { cursor }) };
    const page = await answered(api.GET("/api/v1/nodes", { params: { query }, signal }));
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return found;
}

export function usePools() {
  return useQuery({
    queryKey: nodeKeys.pools,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/pools", { signal })),
    refetchInterval: SILENCE_MS,
  });
}

export function useNode(name: string) {
  return useQuery({
    queryKey: nodeKeys.one(name),
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/nodes/{name}", { params: { path: { name } }, signal })),
    refetchInterval: SILENCE_MS,
  });
}

export function useNodeReplicas(name: string) {
  return useInfiniteQuery({
    queryKey: nodeKeys.replicas(name),
    queryFn: ({ pageParam, signal }) =>
      answered(
        api.GET("/api/v1/nodes/{name}/replicas", {
          params: {
            path: { name },
            query: { limit: 100, ...(pageParam && { cursor: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

/** The curves of a node's GPUs. `until` is null where the range ends now and moves on. */
export function useNodeCurves(name: string, since: number, until: number | null) {
  return useQuery({
    queryKey: nodeKeys.curves(name, steady(since), until),
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/nodes/{name}/curves", {
          params: {
            path: { name },
            query: {
              since: new Date(since).toISOString(),
              ...(until !== null && { until: new Date(until).toISOString() }),
            },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: until === null ? CURVE_STEP_MS : false,
  });
}

/** What was free over time, and stranded. `until` is null where the range ends now and moves on. */
export function useFragmentation(
  since: number,
  until: number | null,
  { type, pool }: { type?: string | undefined; pool?: string | undefined },
) {
  const from = Math.floor(since / MINUTE_MS) * MINUTE_MS;
  return useQuery({
    queryKey: [...nodeKeys.fragmentation, from, until, type, pool],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/fragmentation", {
          params: {
            query: {
              since: new Date(from).toISOString(),
              ...(until !== null && { until: new Date(until).toISOString() }),
              ...(type && { gpu_type: type }),
              ...(pool && { pool }),
            },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: until === null ? MINUTE_MS : false,
  });
}

/** A moving range asks anew once a step, not at each drawing. */
function steady(at: number): number {
  return Math.floor(at / CURVE_STEP_MS) * CURVE_STEP_MS;
}

/** Keeps what is known of nodes true while a page of them is shown. */
export function useNodesLive(): void {
  const queries = useQueryClient();
  const readAgain = useGathered(
    () =>
      void queries.invalidateQueries({
        queryKey: nodeKeys.all,
        // Curves have a pace of their own.
        predicate: ({ queryKey }) => queryKey[1] !== "curves",
      }),
    REREAD_MS,
  );
  useTopic("nodes", { onEvent: readAgain, onResync: readAgain });
}

export function useCordon(name: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (cordoned: boolean) =>
      answered(
        cordoned
          ? api.POST("/api/v1/nodes/{name}/cordon", { params: { path: { name } } })
          : api.POST("/api/v1/nodes/{name}/uncordon", { params: { path: { name } } }),
      ),
    onSuccess: (node) => {
      queries.setQueryData(nodeKeys.one(name), node);
      void queries.invalidateQueries({ queryKey: nodeKeys.list });
    },
  });
}

export function useRelease(name: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      answered(api.POST("/api/v1/nodes/{name}/release", { params: { path: { name } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: nodeKeys.all }),
  });
}
