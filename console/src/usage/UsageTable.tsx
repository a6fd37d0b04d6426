/** All names of a report with their amounts, most first; a name opens what it is made of. */
import { useState } from "react";
import type { UsageAmounts, UsageReport } from "../api/types";
import { type By, dimensions, type Measure, next } from "./ask";
import classes from "./usage.module.css";
import { amountOf, hoursInWords, moneyInWords, nameInWords } from "./words";

interface Props {
  report: UsageReport;
  by: By;
  measure: Measure;
  onOpen: (name: string) => void;
}

const FIRST_ROWS = 50;

export function UsageTable({ report, by, measure, onOpen }: Props) {
  const [all, setAll] = useState(false);
  const { currency, total } = report;
  const rows = [...report.items].sort(
    (one, other) => amountOf(other, measure) - amountOf(one, measure),
  );
  const most = Math.max(...rows.map(({ gpu_hours }) => gpu_hours), 0);
  const shown = all ? rows : rows.slice(0, FIRST_ROWS);
  return (
    <>
      <table className={classes.table} aria-label={`Usage by ${dimensions[by].one.toLowerCase()}`}>
        <thead>
          <tr>
            <th scope="col">{dimensions[by].one}</th>
            <th scope="col" data-bar>
              <span className={classes.unseen}>Bar</span>
            </th>
            <th scope="col">Allocated</th>
            <th scope="col" data-wide>
              Used
            </th>
            <th scope="col">Idle</th>
            <th scope="col" data-wide>
              Borrowed
            </th>
            {currency && <th scope="col">Cost, {currency}</th>}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row.name}>
              <th scope="row">
                {row.name ? (
                  <button
                    type="button"
                    onClick={() => onOpen(row.name)}
                    title={`Show ${row.name} by ${dimensions[next[by]].one.toLowerCase()}`}
                  >
                    {row.name}
                  </button>
                ) : (
                  nameInWords(by, row.name)
                )}
              </th>
              <td data-bar>
                <span
                  className={classes.meter}
                  aria-hidden
                  style={{ width: `${most > 0 ? (row.gpu_hours / most) * 100 : 0}%` }}
                >
                  <span style={{ flexGrow: row.used_gpu_hours / (row.gpu_hours || 1) }} />
                  <span data-idle style={{ flexGrow: row.idle_gpu_hours / (row.gpu_hours || 1) }} />
                </span>
              </td>
              <Amounts row={row} currency={currency} />
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">All</th>
            <td data-bar />
            <Amounts row={total} currency={currency} />
          </tr>
        </tfoot>
      </table>
      {rows.length > shown.length && (
        <p className={classes.more}>
          <button type="button" onClick={() => setAll(true)}>
            Show all {rows.length.toLocaleString("en")}
          </button>
        </p>
      )}
    </>
  );
}

function Amounts({ row, currency }: { row: UsageAmounts; currency: string | null }) {
  const figures: [hours: number, wide: boolean][] = [
    [row.gpu_hours, false],
    [row.used_gpu_hours, true],
    [row.idle_gpu_hours, false],
    [row.borrowed_gpu_hours, true],
  ];
  return (
    <>
      {figures.map(([hours, wide], at) => (
        <td
          // biome-ignore lint/suspicious/noArrayIndexKey: columns have nothing else to be told apart by.
          key={at}
          data-wide={wide || undefined}
          data-none={hours === 0 || undefined}
          title={`${hours} GPU-hours`}
        >
          {hoursInWords(hours)}
        </td>
      ))}
      {currency && (
        <td data-none={!row.cost || undefined} title={row.cost?.amount}>
          {row.cost ? moneyInWords(row.cost.amount) : "–"}
          {row.unpriced.length > 0 && (
            <abbr
              title={`Without ${row.unpriced.map((each) => each.gpu_type).join(", ")}: no price`}
            >
              *
            </abbr>
          )}
        </td>
      )}
    </>
  );
}
