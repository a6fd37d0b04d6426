/** The nodes. They have no live feed of their own; changes of workloads make them read again. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";

export const nodeKeys = { list: ["nodes", "list"] as const };

/** A node that falls silent changes no workload at first, so it is looked for at this pace. */
const REREAD_MS = 30_000;

export function useNodes() {
  return useQuery({
    queryKey: nodeKeys.list,
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/nodes", { params: { query: { limit: 500 } }, signal })),
    refetchInterval: REREAD_MS,
  });
}
