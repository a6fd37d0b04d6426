/** Who gave way to whom, why, and what it cost: the table of the queue and of the scheduler. */
import { Link } from "@tanstack/react-router";
import type { ComponentPropsWithoutRef } from "react";
import type { GaveWay } from "../api/types";
import { gpuTimeInWords } from "../quantity/words";
import { RelativeTime } from "../time/Times";
import classes from "./gaveWay.module.css";

type Named = Pick<NonNullable<GaveWay["workload"]>, "id" | "name" | "project">;

export interface GaveWayRow
  extends Pick<GaveWay, "at" | "booking" | "justification" | "lost_gpu_seconds"> {
  workload: Named | null;
  in_favour_of: Named | null;
}

interface Props<Row extends GaveWayRow> extends ComponentPropsWithoutRef<"table"> {
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
  /** How much of it stopped. */
  partOf: (row: Row) => string;
  /** Said of a workload that is not told. */
  unknown: string;
}

export function GaveWayRows<Row extends GaveWayRow>(props: Props<Row>) {
  const { rows, keyOf, partOf, unknown, ...table } = props;
  return (
    <table className={classes.table} {...table}>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Gave way</th>
          <th scope="col">To</th>
          <th scope="col">Why</th>
          <th scope="col" data-number>
            Cost
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            <td data-column="at">
              <RelativeTime at={row.at} />
            </td>
            <td data-column="who">
              <Who named={row.workload} unknown={unknown} />
              <span className={classes.under}>{partOf(row)}</span>
            </td>
            <td data-column="to">
              <span className={classes.narrow}>to </span>
              {row.booking == null ? (
                <Who named={row.in_favour_of} unknown={unknown} />
              ) : (
                <span>{row.booking ? `booking ${row.booking}` : "a booking"}</span>
              )}
            </td>
            <td data-column="why">{sentence(row.justification)}</td>
            <td data-number data-column="cost" title="GPU time since it was last saved">
              {row.lost_gpu_seconds > 0 ? gpuTimeInWords(row.lost_gpu_seconds) : "nothing"}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Who({ named, unknown }: { named: Named | null; unknown: string }) {
  if (!named) return <span className={classes.quiet}>{unknown}</span>;
  return (
    <>
      <Link to="/workloads/$id" params={{ id: named.id }}>
        {named.name}
      </Link>{" "}
      <span className={classes.quiet}>{named.project}</span>
    </>
  );
}

function sentence(words: string): string {
  return (
    words && `${words.charAt(0).toUpperCase()}${words.slice(1)}${words.endsWith(".") ? "" : "."}`
  );
}
