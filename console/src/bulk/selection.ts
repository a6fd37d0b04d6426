/** Which workloads of a list are selected: some by name, or all that match. */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useRef, useState } from "react";
import type { Workload } from "../api/types";
import { selecting, type WorkloadFilters } from "../workloads/filters";
import type { Rows } from "../workloads/rows";
import { rowsRead } from "../workloads/windows";

/** A range by shift reaches so far at most. */
const RANGE_MAX_ROWS = 2_000;

interface Chosen {
  /** The list that it is about; another list has nothing selected. */
  list: string;
  /** All that match the list's filters, but those in `rows`; otherwise those in `rows`. */
  all: boolean;
  rows: ReadonlyMap<string, Workload>;
}

export interface Selection {
  has: (id: string) => boolean;
  isEmpty: boolean;
  count: number;
  all: boolean;
  /** Those selected; with `all`, those that are not. */
  rows: ReadonlyMap<string, Workload>;
  filters: WorkloadFilters;
}

export interface Selecting {
  selection: Selection;
  /** Turns one, or with `range` all from the last one turned to this. */
  onSelect: (workload: Workload, index: number, range: boolean) => void;
  onSelectShown: (shown: readonly Workload[]) => void;
  selectAll: () => void;
  clear: () => void;
}

export function useSelection(filters: WorkloadFilters, rows: Rows): Selecting {
  const queries = useQueryClient();
  const list = JSON.stringify(selecting(filters));
  const [held, setHeld] = useState<Chosen>(() => nothing(list));
  const chosen = held.list === list ? held : nothing(list);
  const latest = useRef({ chosen, filters, rows });
  latest.current = { chosen, filters, rows };
  const anchor = useRef<{ id: string; index: number } | null>(null);

  const selection = useMemo(
    () => ({
      has: (id: string) => chosen.rows.has(id) !== chosen.all,
      count: chosen.all ? Math.max(0, rows.total - chosen.rows.size) : chosen.rows.size,
      isEmpty: chosen.all ? rows.total <= chosen.rows.size : chosen.rows.size === 0,
      all: chosen.all,
      rows: chosen.rows,
      filters: JSON.parse(list) as WorkloadFilters,
    }),
    [chosen.all, chosen.rows, rows.total, list],
  );

  const onSelect = useCallback(
    (workload: Workload, index: number, range: boolean) => {
      const now = latest.current;
      const on = now.chosen.rows.has(workload.id) === now.chosen.all;
      const before = range ? anchor.current : null;
      anchor.current = { id: workload.id, index };
      setHeld((held) => turned(ofList(held, now.chosen.list), [workload], on));
      if (!before) return;
      // Rows on the screen may be held back; in the list they may stand further down by now.
      const from = now.rows.placeOf(before.id) ?? before.index;
      const to = now.rows.placeOf(workload.id) ?? index;
      const first = Math.max(Math.min(from, to), to - RANGE_MAX_ROWS);
      const last = Math.min(Math.max(from, to), to + RANGE_MAX_ROWS);
      const known = rowsKnown(now.rows, first, last);
      if (known) {
        setHeld((held) => turned(ofList(held, now.chosen.list), known, on));
        return;
      }
      // What was scrolled past was let go, and is read again.
      void rowsRead(queries, now.filters, first, last).then((found) =>
        setHeld((held) => (held.list === now.chosen.list ? turned(held, found, on) : held)),
      );
    },
    [queries],
  );

  const onSelectShown = useCallback((shown: readonly Workload[]) => {
    const { chosen } = latest.current;
    const all = shown.every((row) => chosen.rows.has(row.id) !== chosen.all);
    setHeld((held) => turned(ofList(held, chosen.list), shown, !all));
  }, []);

  const selectAll = useCallback(
    () => setHeld({ list: latest.current.chosen.list, all: true, rows: new Map() }),
    [],
  );
  const clear = useCallback(() => {
    anchor.current = null;
    setHeld(nothing(latest.current.chosen.list));
  }, []);
  return { selection, onSelect, onSelectShown, selectAll, clear };
}

function nothing(list: string): Chosen {
  return { list, all: false, rows: new Map() };
}

function ofList(held: Chosen, list: string): Chosen {
  return held.list === list ? held : nothing(list);
}

function turned(chosen: Chosen, turning: readonly Workload[], on: boolean): Chosen {
  const rows = new Map(chosen.rows);
  for (const row of turning) {
    if (on !== chosen.all) rows.set(row.id, row);
    else rows.delete(row.id);
  }
  return { ...chosen, rows };
}

function rowsKnown(rows: Rows, first: number, last: number): Workload[] | null {
  const found: Workload[] = [];
  for (let index = first; index <= last; index++) {
    const row = rows.at(index);
    if (!row) return null;
    found.push(row);
  }
  return found;
}
