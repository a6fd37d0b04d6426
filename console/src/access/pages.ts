/** Lists of this room that are read page by page, and changes after which they are read again. */
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import type { Page } from "../api/types";

/** Every key of this room begins so. */
export const accessKey = "access";

/** What is there so far, in `items`; undefined until the first page is there. */
export function usePages<Item>(
  key: readonly unknown[],
  read: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Item>>,
  enabled = true,
) {
  const list = useInfiniteQuery({
    queryKey: [accessKey, ...key],
    queryFn: ({ pageParam, signal }) => read(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    enabled,
  });
  return { ...list, items: list.data?.pages.flatMap((page) => page.items) };
}

/** What changes who may do what can change it for oneself, too. */
export function useChange<Given, Answer>(run: (given: Given) => Promise<Answer>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: () =>
      Promise.all(
        [[accessKey], ["projects"], ["session", "identity"]].map((queryKey) =>
          queries.invalidateQueries({ queryKey }),
        ),
      ),
  });
}

/** The query of a page of a list. */
export function pageQuery(cursor: string | undefined) {
  return { limit: 100, ...(cursor !== undefined && { cursor }) };
}
