/** The list of workloads: a table where there is room, stacked rows where there is little. */
import { type CSSProperties, type FocusEvent, useMemo, useRef, useState } from "react";
import type { Workload } from "../api/types";
import type { Selection } from "../bulk/selection";
import { type Column, columnOf, columnsRead } from "./columns";
import { sortOf, type WorkloadFilters } from "./filters";
import { namesOf } from "./names";
import type { Direction } from "./order";
import type { Rows } from "./rows";
import { TableHead } from "./TableHead";
import type { Drawn } from "./useDrawnRows";
import { LoadingRow, WorkloadRow } from "./WorkloadRow";
import classes from "./workloads.module.css";

export interface Choosing {
  selection: Selection;
  onSelect: (workload: Workload, index: number, range: boolean) => void;
  onSelectShown: (shown: readonly Workload[]) => void;
}

interface Props {
  rows: Rows;
  drawn: Drawn;
  filters: WorkloadFilters;
  /** Whether the rows are those of the list before. */
  stale: boolean;
  onSort: (sort: ReturnType<typeof sortOf>["sort"], order: Direction) => void;
  openId: string | undefined;
  onOpen: (id: string) => void;
  choosing: Choosing;
}

/** Narrower than this, and a table whose columns one chose is scrolled sideways. */
const NAME_LEAST_PIXELS = 160;
const REST_LEAST_PIXELS = 160;
const EDGES_PIXELS = 48;

export function WorkloadTable(props: Props) {
  const { rows, drawn, filters, stale, onSort, openId, onOpen, choosing } = props;
  const { first, last, rowPixels } = drawn;
  const columns = useMemo(() => columnsRead(filters.columns).map(columnOf), [filters.columns]);
  const known: Workload[] = [];
  for (let index = first; index <= last; index++) {
    const row = rows.at(index);
    if (row) known.push(row);
  }
  const names = useNames(known);
  const { selection } = choosing;
  const { kept, handlers } = useFocusedRow(rows);
  const chosen = known.filter((row) => selection.has(row.id)).length;
  const seen = new Set<string>();
  return (
    <table
      className={classes.table}
      style={tableStyle(names.letters, columns, filters.columns !== undefined)}
      data-chosen={filters.columns !== undefined || undefined}
      data-choosing={!selection.isEmpty || undefined}
      data-stale={stale || undefined}
      aria-label="Workloads"
      aria-rowcount={rows.total + 1}
    >
      <TableHead
        columns={columns}
        {...sortOf(filters)}
        onSort={onSort}
        selected={chosen === 0 ? "none" : chosen === known.length ? "all" : "some"}
        onSelectShown={() => choosing.onSelectShown(known)}
      />
      <tbody {...handlers}>
        {drawnParts(first, last, rows.total, kept?.index ?? null).map((part) => {
          if ("rows" in part) return <Gap key={part.key} pixels={part.rows * rowPixels} />;
          const { index } = part;
          const workload = rows.at(index) ?? (index === kept?.index ? kept.workload : undefined);
          // Where one drags the list past, the same rows stay and only count on: it costs least.
          if (!workload) {
            const place = index - first;
            return <LoadingRow key={place} index={index} place={place} columns={columns} />;
          }
          // While rows move between two answers, one may stand in both.
          const key = seen.has(workload.id) ? `${workload.id} ${index}` : workload.id;
          seen.add(workload.id);
          return (
            <WorkloadRow
              key={key}
              workload={workload}
              index={index}
              columns={columns}
              open={workload.id === openId}
              selected={selection.has(workload.id)}
              alike={names.shared.has(workload.name)}
              onOpen={onOpen}
              onSelect={choosing.onSelect}
            />
          );
        })}
      </tbody>
    </table>
  );
}

type Part = { index: number } | { key: string; rows: number };

/** The rows that are drawn and the gaps between them, from the top. `kept` stands apart from those
 * in sight. */
export function drawnParts(
  first: number,
  last: number,
  total: number,
  kept: number | null,
): Part[] {
  const inSight = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
  const outside = kept !== null && (kept < first || kept > last) && kept < total;
  const drawn = outside ? [...inSight, kept].sort((a, b) => a - b) : inSight;
  const found: Part[] = [];
  let next = 0;
  for (const index of drawn) {
    if (index > next) found.push({ key: `gap ${found.length}`, rows: index - next });
    found.push({ index });
    next = index + 1;
  }
  if (total > next) found.push({ key: "gap below", rows: total - next });
  return found;
}

/** The row that has the focus is drawn wherever one scrolls: what is taken away loses it. */
function useFocusedRow(rows: Rows) {
  const [focused, setFocused] = useState<{ index: number; workload: Workload } | null>(null);
  const handlers = {
    onFocus: ({ target }: FocusEvent<HTMLElement>) => {
      const row = target.closest<HTMLElement>("tr[data-index]");
      const index = Number(row?.dataset.index);
      const workload = rows.at(index);
      setFocused(workload ? { index, workload } : null);
    },
    onBlur: ({ currentTarget, relatedTarget }: FocusEvent<HTMLElement>) => {
      if (!currentTarget.contains(relatedTarget)) setFocused(null);
    },
  };
  // Rows that are far away are forgotten, and this one is drawn as it was known.
  const now = focused && rows.at(focused.index);
  const stays = focused !== null && (!now || now.id === focused.workload.id);
  return { kept: stays ? focused : null, handlers };
}

/** Stands for the rows above or below that are not drawn. */
function Gap({ pixels }: { pixels: number }) {
  if (pixels <= 0) return null;
  return <tr className={classes.gap} style={{ height: pixels }} />;
}

/** The room for names only grows while one scrolls, so that no column moves to and fro. */
function useNames(known: readonly Workload[]) {
  const letters = useRef(0);
  const text = known.map(({ name }) => name).join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the names are all that counts.
  const names = useMemo(() => namesOf(known), [text]);
  letters.current = Math.max(letters.current, names.letters);
  return { shared: names.shared, letters: letters.current };
}

function tableStyle(letters: number, columns: readonly Column[], isChosen: boolean): CSSProperties {
  const style: Record<string, string | number> = { "--name-letters": letters };
  if (isChosen) {
    const least = columns.reduce(
      (sum, { id, width }) =>
        sum + (width ?? (id === "name" ? NAME_LEAST_PIXELS : REST_LEAST_PIXELS)),
      EDGES_PIXELS,
    );
    style["--table-least"] = `${least}px`;
  }
  return style;
}
