/** Data sources, their grants, and who used them. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { DataSource, DataSourceRequest } from "../api/types";

const dataKey = "data";
const REREAD_MS = 15_000;

type Named = Pick<DataSource, "name" | "project">;
export type Grantee = "project" | "team" | "user";

/** Which source, as a request says it. */
function placeOf({ name, project }: Named) {
  return { path: { name }, query: project ? { project } : {} };
}

export function useSources() {
  return useQuery({
    queryKey: [dataKey, "list"],
    queryFn: async ({ signal }) => (await answered(api.GET("/api/v1/data", { signal }))).items,
    refetchInterval: REREAD_MS,
  });
}

export function useSource(source: Named) {
  return useQuery({
    queryKey: [dataKey, "one", source.project, source.name],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/data/{name}", { params: placeOf(source), signal })),
    refetchInterval: REREAD_MS,
  });
}

export function useMounts(source: Named, enabled: boolean) {
  const { path, query } = placeOf(source);
  return useInfiniteQuery({
    queryKey: [dataKey, "log", source.project, source.name],
    queryFn: ({ pageParam, signal }) =>
      answered(
        api.GET("/api/v1/data/{name}/log", {
          params: {
            path,
            query: { ...query, limit: 50, ...(pageParam && { cursor: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    enabled,
    refetchInterval: REREAD_MS,
  });
}

function useDataChange<Given, Answer>(run: (given: Given) => Promise<Answer>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: () => queries.invalidateQueries({ queryKey: [dataKey] }),
  });
}

export function useSourceSet() {
  return useDataChange(({ name, project, body }: Named & { body: DataSourceRequest }) =>
    answered(api.PUT("/api/v1/data/{name}", { params: placeOf({ name, project }), body })),
  );
}

export function useSourceRemove(source: Named) {
  return useDataChange((_: undefined) =>
    answered(api.DELETE("/api/v1/data/{name}", { params: placeOf(source) })),
  );
}

export function useGrantSet(source: Named) {
  const { path, query } = placeOf(source);
  return useDataChange(
    ({ kind, grantee, write }: { kind: Grantee; grantee: string; write: boolean }) =>
      answered(
        api.PUT("/api/v1/data/{name}/grants/{kind}/{grantee}", {
          params: { path: { ...path, kind, grantee }, query },
          body: { write },
        }),
      ),
  );
}

export function useGrantRemove(source: Named, kind: Grantee, grantee: string) {
  const { path, query } = placeOf(source);
  return useDataChange((_: undefined) =>
    answered(
      api.DELETE("/api/v1/data/{name}/grants/{kind}/{grantee}", {
        params: { path: { ...path, kind, grantee }, query },
      }),
    ),
  );
}
