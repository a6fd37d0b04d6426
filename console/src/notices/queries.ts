/** The notices about one's own work: read once, then kept true by the live feed. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { Notice, Notices } from "../api/types";
import { useTopic } from "../stream/useTopic";

const noticesKey = ["notices"] as const;

/** More than anybody scrolls through in a small window. */
const KEPT = 50;

export function useNotices() {
  return useQuery({
    queryKey: noticesKey,
    queryFn: ({ signal }): Promise<Notices> =>
      answered(api.GET("/api/v1/notices", { params: { query: { limit: KEPT } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Keeps them true. The bell uses it once. */
export function useNoticesLive(): void {
  const queries = useQueryClient();
  useTopic("notices", {
    onEvent: (notice) =>
      queries.setQueryData<Notices>(noticesKey, (held) => held && noticesWith(held, notice)),
    onResync: () => void queries.invalidateQueries({ queryKey: noticesKey }),
  });
}

export function noticesWith(held: Notices, notice: Notice): Notices {
  if (held.items.some(({ seq }) => seq === notice.seq)) return held;
  const items = [notice, ...held.items].sort((a, b) => b.seq - a.seq).slice(0, KEPT);
  return { ...held, items, unread: held.unread + (notice.read ? 0 : 1) };
}

/** Marks all up to the newest one that is known as read; shows it at once. */
export function useNoticesRead() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (through: number) =>
      answered(api.POST("/api/v1/notices/read", { body: { through } })),
    onMutate: (through) => {
      const before = queries.getQueryData<Notices>(noticesKey);
      queries.setQueryData<Notices>(noticesKey, (held) => held && noticesRead(held, through));
      return { before };
    },
    onError: () => void queries.invalidateQueries({ queryKey: noticesKey }),
  });
}

export function noticesRead(held: Notices, through: number): Notices {
  const items = held.items.map((each) => (each.seq <= through ? { ...each, read: true } : each));
  // What is not loaded is older than what is, and so it has been read too.
  return { ...held, items, unread: items.filter(({ read }) => !read).length };
}
