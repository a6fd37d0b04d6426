/** One's saved views of a page: its filters, order and columns under a name. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { SavedView } from "../api/types";

const viewsKey = (page: string) => ["views", page] as const;

export function useSavedViews(page: string): readonly SavedView[] {
  const { data } = useQuery({
    queryKey: viewsKey(page),
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/views", { params: { query: { page } }, signal })),
    staleTime: 60_000,
  });
  return data?.items ?? [];
}

/** Keeps `search` under a name, and lets the name go that it had before. */
export function useViewSave(page: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({
      name,
      search,
      before,
    }: {
      name: string;
      search: string;
      before?: string;
    }) => {
      const saved = await answered(
        api.PUT("/api/v1/views/{page}/{name}", {
          params: { path: { page, name } },
          body: { search },
        }),
      );
      if (before && before !== name) await viewDelete(page, before);
      return saved;
    },
    onSettled: () => queries.invalidateQueries({ queryKey: viewsKey(page) }),
  });
}

export function useViewDelete(page: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => viewDelete(page, name),
    onSettled: () => queries.invalidateQueries({ queryKey: viewsKey(page) }),
  });
}

async function viewDelete(page: string, name: string): Promise<void> {
  await answered(api.DELETE("/api/v1/views/{page}/{name}", { params: { path: { page, name } } }));
}
