/** What the submit page asks the server: the schema, what there is to choose from, the check of a
 * spec, and its submission. */
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { DryRun, Node } from "../api/types";
import type { Schema } from "../editor/schema";

const NODES_REREAD_MS = 10_000;
const NODES_PER_PAGE = 500;
const NAMES_OFFERED = 20;

export function useSchema(): Schema | undefined {
  return useQuery({
    queryKey: ["schemas", "workload"],
    queryFn: async ({ signal }) =>
      (await answered(api.GET("/api/v1/schemas/workload", { signal }))) as Schema,
    staleTime: Number.POSITIVE_INFINITY,
  }).data;
}

/** All nodes, for counting what is free; undefined until they are known. */
export function useAllNodes() {
  return useQuery({
    queryKey: ["nodes", "submit"],
    queryFn: async ({ signal }) => {
      const nodes: Node[] = [];
      let cursor: string | null | undefined;
      do {
        const page = await answered(
          api.GET("/api/v1/nodes", {
            params: { query: { limit: NODES_PER_PAGE, ...(cursor && { cursor }) } },
            signal,
          }),
        );
        nodes.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor);
      return nodes;
    },
    refetchInterval: NODES_REREAD_MS,
  });
}

export function useSecretNames(project: string | undefined) {
  return useQuery({
    queryKey: ["projects", "secrets", project],
    queryFn: async ({ signal }) => {
      const { items } = await answered(
        api.GET("/api/v1/projects/{project}/secrets", {
          params: { path: { project: project ?? "" }, query: { limit: 500 } },
          signal,
        }),
      );
      return items.map(({ name }) => name);
    },
    enabled: project !== undefined && project !== "",
  });
}

/** Names of workloads of the project that have a text in them, newest first. */
export function useWorkloadNames(project: string | undefined, text: string) {
  return useQuery({
    queryKey: ["submit", "names", project, text],
    queryFn: async ({ signal }) => {
      const { items } = await answered(
        api.GET("/api/v1/workloads", {
          params: {
            query: {
              limit: NAMES_OFFERED,
              ...(project && { project: [project] }),
              ...(text && { q: text }),
            },
          },
          signal,
        }),
      );
      return [...new Set(items.map(({ name }) => name))];
    },
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
}

const asYaml = {
  headers: { "Content-Type": "application/yaml" },
  bodySerializer: (body: unknown) => String(body),
};

/** The spec with every default filled in. Throws a ProblemError with the faults. */
export async function specCheck(
  text: string,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const { resolved } = await answered(
    // The types know the body as JSON only; the server takes YAML as well.
    api.POST("/api/v1/workloads/validate", { ...asYaml, body: text as never, signal }),
  );
  return resolved as Record<string, unknown>;
}

/** What would become of a spec that is right. Throws a ProblemError with faults that only the store
 * knows. */
export async function dryRun(text: string, signal: AbortSignal): Promise<DryRun | null> {
  const { items } = await answered(
    api.POST("/api/v1/workloads/dry-run", { ...asYaml, body: text as never, signal }),
  );
  return items[0] ?? null;
}

export function useSubmit() {
  return useMutation({
    mutationFn: ({ text, key }: { text: string; key: string }) =>
      answered(
        api.POST("/api/v1/workloads", {
          ...asYaml,
          body: text as never,
          headers: { ...asYaml.headers, "Idempotency-Key": key },
        }),
      ),
    retry: false,
  });
}
