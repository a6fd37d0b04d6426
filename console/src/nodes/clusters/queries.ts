/** The clusters that Podium works on, and how they are. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import type { ClusterAccess, ClusterChange, ClusterRequest } from "../../api/types";
import { nodeKeys } from "../queries";

/** A cluster falls silent without any node's state changing at first. */
const AGAIN_MS = 3_000;

/** Below the nodes, so that it is read again with them. */
const key = [...nodeKeys.all, "clusters"];

export function useClusters() {
  return useQuery({
    queryKey: key,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/clusters", { signal })),
    refetchInterval: AGAIN_MS,
  });
}

function useClusterChange<Given, Answer>(run: (given: Given) => Promise<Answer>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: () => queries.invalidateQueries({ queryKey: nodeKeys.all }),
  });
}

export function useClusterAdd() {
  return useClusterChange((body: ClusterRequest) =>
    answered(api.POST("/api/v1/clusters", { body })),
  );
}

export function useClusterSet(name: string) {
  return useClusterChange((body: ClusterChange) =>
    answered(api.PATCH("/api/v1/clusters/{name}", { params: { path: { name } }, body })),
  );
}

export function useClusterRemove(name: string) {
  return useClusterChange((force: boolean) =>
    answered(
      api.DELETE("/api/v1/clusters/{name}", { params: { path: { name }, query: { force } } }),
    ),
  );
}

/** Tries to reach one, and keeps nothing. */
export function useClusterCheck() {
  return useMutation({
    mutationFn: (body: ClusterAccess) => answered(api.POST("/api/v1/clusters/check", { body })),
  });
}
