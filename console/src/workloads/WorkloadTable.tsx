/** The list of workloads: a table where there is room, stacked rows where there is little. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, type RefObject, useEffect, useLayoutEffect, useMemo } from "react";
import type { Workload } from "../api/types";
import { ArrowIcon } from "../frame/icons";
import type { WorkloadFilters } from "./filters";
import { namesOf } from "./names";
import { WorkloadRow } from "./WorkloadRow";
import classes from "./workloads.module.css";

export type Order = WorkloadFilters["order"];

interface Props {
  rows: Workload[];
  scroll: RefObject<HTMLElement | null>;
  order: Order;
  onOrder: (order: Order) => void;
  openId: string | undefined;
  onOpen: (id: string) => void;
  /** Called when the end comes near while someone scrolls; undefined where no more rows are. */
  onNearEnd: (() => void) | undefined;
}

const columns = [
  { name: "State", column: "state" },
  { name: "Name", column: "name" },
  { name: "Project", column: "project" },
  { name: "Kind", column: "kind" },
  { name: "Detail", column: "detail" },
  { name: "Each replica", column: "resources" },
  { name: "Replicas", column: "replicas" },
  { name: "Owner", column: "owner" },
] as const;

/** As the style sheet has them; stacked rows are measured, for some have a line more. */
const ROW_PIXELS = 32;
const HEAD_PIXELS = 28;
const STACKED_ROW_PIXELS = 85;
const STACKED_WIDTH_PIXELS = 600;

const OVERSCAN = 12;
const NEAR_END_ROWS = 40;

export function WorkloadTable(props: Props) {
  const { rows, scroll, order, onOrder, openId, onOpen, onNearEnd } = props;
  const width = scroll.current?.clientWidth ?? Number.POSITIVE_INFINITY;
  const stacked = width <= STACKED_WIDTH_PIXELS;
  const head = stacked ? 0 : HEAD_PIXELS;
  const drawn = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    getItemKey: (index) => rows[index]?.id ?? index,
    estimateSize: () => (stacked ? STACKED_ROW_PIXELS : ROW_PIXELS),
    scrollMargin: head,
    overscan: OVERSCAN,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows change their height with it.
  useLayoutEffect(() => drawn.measure(), [stacked, drawn]);

  const names = useMemo(() => namesOf(rows), [rows]);
  const items = drawn.getVirtualItems();
  const last = items.at(-1);
  const isNearEnd =
    (drawn.scrollOffset ?? 0) > 0 && last !== undefined && last.index > rows.length - NEAR_END_ROWS;
  useEffect(() => {
    if (isNearEnd) onNearEnd?.();
  }, [isNearEnd, onNearEnd]);

  return (
    <table
      className={classes.table}
      style={{ "--name-letters": names.letters } as CSSProperties}
      aria-rowcount={onNearEnd ? -1 : rows.length + 1}
    >
      <thead>
        <tr>
          {columns.map(({ name, column }) => (
            <th key={column} scope="col" data-column={column}>
              {name}
            </th>
          ))}
          <th
            scope="col"
            data-column="submitted"
            aria-sort={order === "oldest" ? "ascending" : "descending"}
          >
            <SubmittedHead order={order} onOrder={onOrder} />
          </th>
        </tr>
      </thead>
      <tbody>
        <Gap pixels={(items[0]?.start ?? head) - head} />
        {items.map(({ index, key }) => {
          const workload = rows[index];
          return (
            workload && (
              <WorkloadRow
                key={key}
                workload={workload}
                index={index}
                open={workload.id === openId}
                alike={names.shared.has(workload.name)}
                onOpen={onOpen}
                measure={stacked ? drawn.measureElement : undefined}
              />
            )
          );
        })}
        <Gap pixels={drawn.getTotalSize() - ((last?.end ?? head) - head)} />
      </tbody>
    </table>
  );
}

/** Stands for the rows above or below that are not drawn. */
function Gap({ pixels }: { pixels: number }) {
  if (pixels <= 0) return null;
  return <tr className={classes.gap} style={{ height: pixels }} />;
}

function SubmittedHead({ order, onOrder }: Pick<Props, "order" | "onOrder">) {
  const oldest = order === "oldest";
  return (
    <button
      type="button"
      className={classes.sort}
      title={oldest ? "Oldest first. Show the newest first" : "Newest first. Show the oldest first"}
      onClick={() => onOrder(oldest ? undefined : "oldest")}
    >
      Submitted <ArrowIcon up={oldest} />
    </button>
  );
}
