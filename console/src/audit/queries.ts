/** The audit trail as the server tells it. Entries do not come by the stream: it is asked again. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { answered, api } from "../api/client";
import type { AuditEntry } from "../api/types";
import { type AuditSearch, listed, queryOf } from "./search";

const keys = {
  all: ["audit"] as const,
  lists: ["audit", "list"] as const,
  state: ["audit", "state"] as const,
  breaks: ["audit", "breaks"] as const,
};
const PAGE = 100;
const AGAIN_MS = 4_000;
const STATE_AGAIN_MS = 5_000;
const FORWARDS_AGAIN_MS = 15_000;
const BREAKS = 20;

/** Newest first, and live: what is new is asked for by itself, so that pages stay as they were. */
export function useTrail(search: AuditSearch, project: string | undefined) {
  const filters = listed(search);
  const queries = useQueryClient();
  const key = [...keys.lists, project ?? "", filters];
  const read = (cursor: string, signal: AbortSignal) =>
    answered(
      api.GET("/api/v1/audit", {
        params: {
          query: { ...queryOf(filters, project), limit: PAGE, ...(cursor && { cursor }) },
        },
        signal,
      }),
    );
  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => read(pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const news = useQuery({
    queryKey: ["audit", "news", project ?? "", filters],
    queryFn: ({ signal }) => read("", signal),
    enabled: list.data !== undefined && !filters.to,
    refetchInterval: AGAIN_MS,
  });
  const listKey = JSON.stringify(key);
  const latest = news.data?.items;
  const pages = list.data?.pages;
  const torn = pages !== undefined && latest !== undefined && isTorn(pages, latest);
  useEffect(() => {
    // More came at once than is asked for: the list begins anew.
    if (torn) void queries.resetQueries({ queryKey: JSON.parse(listKey) });
  }, [torn, listKey, queries]);
  const entries = useMemo(() => joined(pages ?? [], latest ?? []), [pages, latest]);
  return { list, entries, listKey, stale: news.error };
}

interface EntryPage {
  items: AuditEntry[];
}

/** Whether there may be entries between what is new and what the list has. */
function isTorn(pages: readonly EntryPage[], latest: readonly AuditEntry[]): boolean {
  const newest = pages.flatMap((page) => page.items)[0]?.seq ?? 0;
  const oldest = latest.at(-1)?.seq;
  return latest.length === PAGE && oldest !== undefined && oldest > newest;
}

function joined(pages: readonly EntryPage[], latest: readonly AuditEntry[]): AuditEntry[] {
  const held = pages.flatMap((page) => page.items);
  const newest = held[0]?.seq ?? 0;
  return [...latest.filter(({ seq }) => seq > newest), ...held];
}

/** One entry; `known` is what the list has of it. Entries never change. */
export function useEntry(seq: string, known: AuditEntry | undefined) {
  return useQuery({
    queryKey: [...keys.all, "entry", seq],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/audit/{seq}", { params: { path: { seq: Number(seq) } }, signal })),
    initialData: known,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useActions() {
  return useQuery({
    queryKey: [...keys.all, "actions"],
    queryFn: ({ signal }) => answered(api.GET("/api/v1/audit/actions", { signal })),
    staleTime: 60_000,
  });
}

export function useTrailState(enabled = true) {
  return useQuery({
    queryKey: keys.state,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/audit/state", { signal })),
    refetchInterval: STATE_AGAIN_MS,
    enabled,
  });
}

export function useForwards(enabled: boolean) {
  return useQuery({
    queryKey: [...keys.all, "forwards"],
    queryFn: ({ signal }) => answered(api.GET("/api/v1/audit/forwards", { signal })),
    refetchInterval: FORWARDS_AGAIN_MS,
    enabled,
  });
}

/** The breaks that administrators declared, newest first. */
export function useBreaks() {
  return useQuery({
    queryKey: keys.breaks,
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/audit", {
          params: { query: { action: "audit:break", outcome: "allowed", limit: BREAKS } },
          signal,
        }),
      ),
    staleTime: 60_000,
  });
}

export function useVerify() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answered(api.POST("/api/v1/audit/verify")),
    onSettled: () => void queries.invalidateQueries({ queryKey: keys.state }),
  });
}

export function useBreak() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) => answered(api.POST("/api/v1/audit/break", { body: { reason } })),
    onSuccess: () =>
      Promise.all(
        [keys.state, keys.breaks].map((queryKey) => queries.invalidateQueries({ queryKey })),
      ),
  });
}
