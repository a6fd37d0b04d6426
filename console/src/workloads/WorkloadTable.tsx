/** The list of workloads: a table where there is room, stacked rows where there is little. */
import { type CSSProperties, useMemo, useRef } from "react";
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
      <tbody>
        <Gap pixels={first * rowPixels} />
        {indexes(first, last).map((index) => {
          const workload = rows.at(index);
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
        <Gap pixels={(rows.total - 1 - last) * rowPixels} />
      </tbody>
    </table>
  );
}

function indexes(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
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
