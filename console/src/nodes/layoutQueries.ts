/** Layouts as the server knows them, and what it would do for another one. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { nodeKeys } from "./queries";

const PATH = "/api/v1/nodes/{name}/gpus/{index}/layout";

export function useLayout(name: string, index: number) {
  return useQuery({
    queryKey: ["layouts", name, index],
    queryFn: ({ signal }) => answered(api.GET(PATH, { params: { path: { name, index } }, signal })),
    staleTime: 0,
  });
}

export function useLayoutPlan(name: string, index: number, layout: string) {
  return useQuery({
    queryKey: ["layouts", name, index, "plan", layout],
    queryFn: ({ signal }) =>
      answered(
        api.POST(`${PATH}/plan`, {
          params: { path: { name, index } },
          body: { layout },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
}

interface Wanted {
  layout: string;
  keep: boolean;
  move: boolean;
}

/** Returns once the driver has done it, or refused. */
export function useModeChange(name: string, index: number) {
  const changed = useChanged(name, index);
  return useMutation({
    mutationFn: (enabled: boolean) =>
      answered(
        api.PUT("/api/v1/nodes/{name}/gpus/{index}/mig", {
          params: { path: { name, index } },
          body: { enabled },
        }),
      ),
    onSuccess: changed,
  });
}

/** Null unpins. */
export function useLayoutChange(name: string, index: number) {
  const changed = useChanged(name, index);
  return useMutation({
    mutationFn: (wanted: Wanted | null) => {
      const params = { path: { name, index } };
      return answered(
        wanted ? api.PUT(PATH, { params, body: wanted }) : api.DELETE(PATH, { params }),
      );
    },
    onSuccess: changed,
  });
}

function useChanged(name: string, index: number): () => void {
  const queries = useQueryClient();
  return () => {
    void queries.invalidateQueries({ queryKey: ["layouts", name, index] });
    void queries.invalidateQueries({ queryKey: nodeKeys.one(name) });
  };
}
