/** The head of the list: names of the columns, which sort it, and the box that selects what is shown. */
import { type CSSProperties, useEffect, useRef } from "react";
import type { WorkloadSort } from "../api/types";
import { ArrowIcon } from "../frame/icons";
import type { Column } from "./columns";
import { type Direction, directionFirst } from "./order";
import classes from "./workloads.module.css";

interface Props {
  columns: readonly Column[];
  sort: WorkloadSort;
  order: Direction;
  onSort: (sort: WorkloadSort, order: Direction) => void;
  /** Whether the rows shown are selected: all of them, some, or none. */
  selected: "all" | "some" | "none";
  onSelectShown: () => void;
}

export function TableHead({ columns, sort, order, onSort, selected, onSelectShown }: Props) {
  return (
    <thead>
      <tr aria-rowindex={1}>
        <th scope="col" data-column="select">
          <SelectShown selected={selected} onSelectShown={onSelectShown} />
        </th>
        {columns.map((column) => {
          const by = column.sort;
          const sorted = by === sort;
          return (
            <th
              key={column.id}
              scope="col"
              data-column={column.id}
              data-right={column.right}
              style={column.width ? widthStyle(column.width) : undefined}
              aria-sort={sorted ? (order === "up" ? "ascending" : "descending") : undefined}
            >
              {by ? (
                <button
                  type="button"
                  className={classes.sort}
                  data-sorted={sorted || undefined}
                  onClick={() => onSort(by, sorted ? turned(order) : directionFirst(by))}
                >
                  <span>{column.name}</span>
                  <ArrowIcon up={sorted ? order === "up" : directionFirst(by) === "up"} />
                </button>
              ) : (
                column.name
              )}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

/** Not a plain width, so that the style sheet can have another where there is less room. */
function widthStyle(pixels: number): CSSProperties {
  return { "--width": `${pixels}px` } as CSSProperties;
}

function turned(order: Direction): Direction {
  return order === "up" ? "down" : "up";
}

function SelectShown({ selected, onSelectShown }: Pick<Props, "selected" | "onSelectShown">) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current) box.current.indeterminate = selected === "some";
  }, [selected]);
  return (
    <label className={classes.select}>
      <input
        ref={box}
        type="checkbox"
        aria-label="Select the rows shown"
        checked={selected === "all"}
        onChange={onSelectShown}
      />
    </label>
  );
}
