/**
 * The list is read by windows of rows, wherever one scrolls to. What is far from the view is let
 * go, so that a list of 100,000 costs as little as a short one.
 */
import {
  type QueryClient,
  queryOptions,
  replaceEqualDeep,
  useQueries,
  useQueryClient,
} from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { answered, api } from "../api/client";
import type { Workload, WorkloadPage } from "../api/types";
import { listed, selectionQuery, sortOf, type WorkloadFilters } from "./filters";
import { workloadKeys } from "./queries";
import type { Rows } from "./rows";

export const WINDOW_ROWS = 200;
/** The server counts no further; behind it, the end is found by going there. */
const TOTAL_MAX = 100_000;
/** So many rows are as high as every browser can scroll. */
const ROWS_MAX = 200_000;
/** Who drags the scroll bar passes windows that need not be read. */
const SETTLE_MS = 80;
const SETTLE_MAX_MS = 500;
/** How long rows out of sight are kept, for who comes back. */
const KEPT_MS = 10_000;
/** Rows this far beyond the view are read ahead. */
const AHEAD_ROWS = 80;

export function windowOptions(filters: WorkloadFilters, start: number) {
  const asked = listed(filters);
  return queryOptions({
    queryKey: workloadKeys.window(asked, start),
    queryFn: ({ signal }): Promise<WorkloadPage> =>
      answered(
        api.GET("/api/v1/workloads", {
          params: {
            query: {
              ...selectionQuery(asked),
              ...sortOf(asked),
              offset: start,
              limit: WINDOW_ROWS,
            },
          },
          signal,
        }),
      ),
    // The live feed keeps it true; a look from time to time would only cost.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: KEPT_MS,
    structuralSharing: (held, next) =>
      windowMerged(held as WorkloadPage | undefined, next as WorkloadPage),
  });
}

/** An answer that was on its way while the live feed told of something newer does not undo it. */
export function windowMerged(held: WorkloadPage | undefined, next: WorkloadPage): WorkloadPage {
  if (!held) return next;
  const known = new Map(held.items.map((item) => [item.id, item]));
  const items = next.items.map((item) => {
    const before = known.get(item.id);
    if (!before) return item;
    return before.version > item.version ? before : replaceEqualDeep(before, item);
  });
  return { ...next, items };
}

export interface Windows {
  rows: Rows;
  /** Whether the first rows are not known yet; `rows` are then those of the list before. */
  pending: boolean;
  error: Error | null;
  retry: () => void;
}

/** The rows of the list, those from `first` to `last` read before others. */
export function useWindows(filters: WorkloadFilters, first: number, last: number): Windows {
  const queries = useQueryClient();
  const asked = JSON.stringify(listed(filters));
  const wanted = windowStarts(first, last);
  const starts = useSettled(wanted, asked);
  const results = useQueries({ queries: starts.map((start) => windowOptions(filters, start)) });
  const pages = new Map<number, WorkloadPage>();
  for (const start of wanted) {
    const held = queries.getQueryData<WorkloadPage>(windowOptions(filters, start).queryKey);
    if (held) pages.set(start, held);
  }
  let newest: { page: WorkloadPage; at: number } | undefined;
  for (const [at, start] of starts.entries()) {
    const result = results[at];
    if (!result?.data) continue;
    pages.set(start, result.data);
    if (!newest || result.dataUpdatedAt > newest.at) {
      newest = { page: result.data, at: result.dataUpdatedAt };
    }
  }
  const held = useSame(pages);
  const total = useTotal(asked, newest?.page, held);
  const rows = useMemo(() => rowsOf(held, total ?? 0), [held, total]);
  const shown = useRef(rows);
  const pending = total === undefined;
  if (!pending) shown.current = rows;
  const failed = results.find((result) => result.isError && !result.data);
  return {
    rows: shown.current,
    pending,
    error: failed?.error ?? null,
    retry: () => {
      for (const result of results) if (result.isError) void result.refetch();
    },
  };
}

/** The newest total that the list's answers told, for windows that are asked for lack one. */
function useTotal(
  asked: string,
  page: WorkloadPage | undefined,
  pages: ReadonlyMap<number, WorkloadPage>,
): number | undefined {
  const known = useRef<{ asked: string; total: number } | null>(null);
  if (page) {
    const total = totalOf(page);
    let end = total;
    if (total > TOTAL_MAX) {
      for (const [start, { items }] of pages) {
        // Behind a full window there may be another.
        const more = items.length === WINDOW_ROWS ? WINDOW_ROWS : 0;
        end = Math.max(end, start + items.length + more);
      }
      if (known.current?.asked === asked) end = Math.max(end, known.current.total);
    }
    known.current = { asked, total: Math.min(end, ROWS_MAX) };
  }
  return known.current?.asked === asked ? known.current.total : undefined;
}

function totalOf(page: WorkloadPage): number {
  // A change between the read of the rows and of their count may leave it short of the rows.
  return Math.max(page.total ?? 0, page.items.length);
}

/** 1,204, or 100,000+ where the server stopped counting. */
export function totalShort(total: number): string {
  return total > TOTAL_MAX ? `${TOTAL_MAX.toLocaleString("en")}+` : total.toLocaleString("en");
}

export function windowStarts(first: number, last: number): number[] {
  const starts: number[] = [];
  const from = Math.max(0, first - AHEAD_ROWS);
  for (let start = from - (from % WINDOW_ROWS); start <= last + AHEAD_ROWS; start += WINDOW_ROWS) {
    starts.push(start);
  }
  return starts;
}

function rowsOf(pages: ReadonlyMap<number, WorkloadPage>, total: number): Rows {
  const places = new Map<string, number>();
  for (const [start, { items }] of pages) {
    items.forEach((item, at) => {
      places.set(item.id, start + at);
    });
  }
  const at = (index: number): Workload | undefined => {
    const start = index - (index % WINDOW_ROWS);
    return pages.get(start)?.items[index - start];
  };
  return { total, at, placeOf: (id) => places.get(id) };
}

/** `value` once it stays the same for a moment; at once when `key` changes. */
function useSettled(value: readonly number[], key: string): readonly number[] {
  const [settled, setSettled] = useState({ value, key });
  const waitsSince = useRef<number | null>(null);
  const same = settled.key === key && sameNumbers(settled.value, value);
  if (settled.key !== key) setSettled({ value, key });
  const text = value.join();
  useEffect(() => {
    if (same) {
      waitsSince.current = null;
      return;
    }
    waitsSince.current ??= performance.now();
    const waited = performance.now() - waitsSince.current;
    const next = text.split(",").map(Number);
    const timer = setTimeout(
      () => setSettled({ value: next, key }),
      Math.max(0, Math.min(SETTLE_MS, SETTLE_MAX_MS - waited)),
    );
    return () => clearTimeout(timer);
  }, [same, text, key]);
  return settled.key === key ? settled.value : value;
}

function sameNumbers(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((each, at) => each === other[at]);
}

/** The map of the last render while it holds the same. */
function useSame<Value>(map: Map<number, Value>): Map<number, Value> {
  const held = useRef(map);
  const same =
    held.current.size === map.size &&
    [...map].every(([key, value]) => held.current.get(key) === value);
  if (!same) held.current = map;
  return held.current;
}

/** Rows from `first` to `last`, read where they are not known; for ranges that were let go. */
export async function rowsRead(
  queries: QueryClient,
  filters: WorkloadFilters,
  first: number,
  last: number,
): Promise<Workload[]> {
  const found: Workload[] = [];
  for (let start = first - (first % WINDOW_ROWS); start <= last; start += WINDOW_ROWS) {
    const page = await queries.query(windowOptions(filters, start));
    found.push(...page.items.slice(Math.max(0, first - start), last - start + 1));
  }
  return found;
}
