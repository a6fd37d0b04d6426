/** One workload of the list, and the row that stands in for one that is still being read. */
import { Link } from "@tanstack/react-router";
import { type MouseEvent, memo } from "react";
import type { Workload } from "../api/types";
import type { Column } from "./columns";
import { beside } from "./filters";
import { shortId } from "./names";
import classes from "./workloads.module.css";

interface Props {
  workload: Workload;
  index: number;
  columns: readonly Column[];
  open: boolean;
  selected: boolean;
  /** Whether another row has the same name, so that it takes the id to tell them apart. */
  alike: boolean;
  onOpen: (id: string) => void;
  onSelect: (workload: Workload, index: number, range: boolean) => void;
}

export const WorkloadRow = memo(function WorkloadRow(props: Props) {
  const { workload, index, columns, open, selected, alike, onOpen, onSelect } = props;

  function press(event: MouseEvent<HTMLTableRowElement>) {
    const onControl = event.target instanceof Element && event.target.closest("a, button, label");
    if (onControl || window.getSelection()?.toString()) return;
    onOpen(workload.id);
  }

  return (
    // The keyboard has the link in the row.
    <tr
      onClick={press}
      data-open={open || undefined}
      data-selected={selected || undefined}
      data-index={index}
      aria-rowindex={index + 2}
      aria-selected={selected}
    >
      <td data-column="select">
        {/* The label makes the gutter a target, and not only the box. */}
        <label className={classes.select}>
          <input
            type="checkbox"
            aria-label={`Select ${workload.name}`}
            checked={selected}
            onChange={(event) =>
              onSelect(workload, index, (event.nativeEvent as PointerEvent).shiftKey ?? false)
            }
          />
        </label>
      </td>
      {columns.map(({ id, cell, right, title }) =>
        id === "name" ? (
          <NameCell key={id} workload={workload} alike={alike} />
        ) : (
          <td key={id} data-column={id} data-right={right} title={title?.(workload) || undefined}>
            {cell(workload)}
          </td>
        ),
      )}
    </tr>
  );
});

function NameCell({ workload, alike }: Pick<Props, "workload" | "alike">) {
  return (
    <td data-column="name" title={alike ? `${workload.name} ${workload.id}` : workload.name}>
      <Link
        to="/workloads/$id"
        params={{ id: workload.id }}
        search={beside}
        className={classes.nameLink}
        preload={false}
        data-row-link
      >
        <span className={classes.nameText}>{workload.name}</span>
        {alike && <code className={classes.shortId}>{shortId(workload.id)}</code>}
      </Link>
    </td>
  );
}

const widths = [58, 74, 46, 66, 52, 80, 61, 43];

interface LoadingProps {
  index: number;
  /** Among the rows drawn. Its bars go by it, so that they stay as they are while one scrolls. */
  place: number;
  columns: readonly Column[];
}

/** The same height, so nothing jumps when the row is there. */
export const LoadingRow = memo(function LoadingRow({ index, place, columns }: LoadingProps) {
  return (
    <tr className={classes.loading} aria-rowindex={index + 2} data-index={index} aria-busy="true">
      <LoadingCells place={place} columns={columns} />
    </tr>
  );
});

const LoadingCells = memo(function LoadingCells({ place, columns }: Omit<LoadingProps, "index">) {
  return (
    <>
      <td data-column="select" />
      {columns.map(({ id, right }, at) => (
        <td key={id} data-column={id} data-right={right}>
          <span style={{ width: `${widths[(place * 3 + at) % widths.length]}%` }} />
        </td>
      ))}
    </>
  );
});
