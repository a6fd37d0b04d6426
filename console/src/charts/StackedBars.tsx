/** Amounts per day or month as columns, each stacked of parts; pointing at one tells its parts. */
import { type CSSProperties, useState } from "react";
import classes from "./bars.module.css";
import { colourAt, placeOf } from "./colours";
import { valueScale } from "./scale";
import type { Format } from "./series";
import { useWidth } from "./useWidth";

export interface Column {
  /** When it begins: a day in UTC. */
  at: string;
  parts: readonly { id: string; value: number }[];
}

interface Props {
  label: string;
  columns: readonly Column[];
  /** By id, in the order in which they stand on one another; what is not here is not drawn. */
  names: ReadonlyMap<string, string>;
  /** Of these, what stands for all others and has no colour of its own. */
  others: string;
  per: "day" | "month";
  format: Format;
  /** Selects a part. */
  onPart?: ((id: string) => void) | undefined;
}

const LABEL_PX = 56;
const ROWS = 9;

export function StackedBars({ label, columns, names, others, per, format, onPart }: Props) {
  const [pointed, setPointed] = useState<number | null>(null);
  const sums = columns.map(sumOf);
  const { max, ticks } = valueScale(Math.max(0, ...sums), format);
  const ids = [...names.keys()].filter((id) => id !== others);
  const colour = (id: string) =>
    id === others ? "var(--line-strong)" : colourAt(placeOf(id, ids));
  const [timesRef, width] = useWidth();
  const step = width > 0 ? Math.max(1, Math.ceil((columns.length * LABEL_PX) / width)) : 4;
  const shown = pointed === null ? undefined : columns[pointed];
  const whole = sums.reduce((all, each) => all + each, 0);
  const shownIds = [...names.keys()].filter((id) =>
    columns.some(({ parts }) => parts.some((part) => part.id === id && part.value > 0)),
  );
  return (
    <figure className={classes.figure}>
      <div
        className={classes.plot}
        role="img"
        aria-label={`${label}: ${format(whole)} in all, at most ${format(Math.max(0, ...sums))} in one ${per}. The table below has the figures.`}
        onPointerLeave={() => setPointed(null)}
      >
        {ticks.map((tick) => (
          <span key={tick} className={classes.level} style={{ bottom: `${(tick / max) * 100}%` }}>
            <span>{(format.tick ?? format)(tick)}</span>
          </span>
        ))}
        <div className={classes.columns}>
          {columns.map((column, index) => (
            <span
              key={column.at}
              className={classes.column}
              data-pointed={pointed === index || undefined}
              onPointerEnter={() => setPointed(index)}
              onPointerDown={() => setPointed(index)}
            >
              <span
                className={classes.stack}
                style={{ height: `${((sums[index] ?? 0) / max) * 100}%` }}
              >
                {column.parts.map(({ id, value }) =>
                  value > 0 ? (
                    // Parts of one: with less than that in all, they would not fill the bar.
                    <span
                      key={id}
                      style={{ flexGrow: value / (sums[index] || 1), background: colour(id) }}
                    />
                  ) : null,
                )}
              </span>
            </span>
          ))}
        </div>
        {shown && pointed !== null && (
          <span
            className={classes.card}
            style={{ "--at": (pointed + 0.5) / columns.length } as CSSProperties}
            data-right={pointed > columns.length / 2 || undefined}
          >
            <strong>{columnInWords(shown.at, per, true)}</strong>
            <strong>{format(sumOf(shown))}</strong>
            {[...shown.parts]
              .filter(({ value }) => value > 0)
              .reverse()
              .slice(0, ROWS)
              .map(({ id, value }) => (
                <span key={id} className={classes.reading}>
                  <i style={{ background: colour(id) }} />
                  <span>{names.get(id)}</span>
                  <span>{format(value)}</span>
                </span>
              ))}
          </span>
        )}
      </div>
      <div aria-hidden className={classes.times} ref={timesRef}>
        {columns.map(({ at }, index) => (
          <span key={at}>{index % step === 0 ? columnInWords(at, per, false) : ""}</span>
        ))}
      </div>
      {shownIds.length > 0 && (
        <ul className={classes.legend} aria-label="Legend">
          {shownIds.map((id) => (
            <li key={id}>
              <i style={{ background: colour(id) }} />
              {onPart && id !== others && id !== "" ? (
                <button type="button" onClick={() => onPart(id)}>
                  {names.get(id)}
                </button>
              ) : (
                names.get(id)
              )}
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}

function sumOf({ parts }: Column): number {
  return parts.reduce((all, { value }) => all + value, 0);
}

/** "23 Nov", or "Mon 23 November 2026" in full; "Nov" or "November 2026". */
export function columnInWords(day: string, per: "day" | "month", full: boolean): string {
  return new Date(day).toLocaleDateString("en-GB", {
    timeZone: "UTC",
    ...(per === "day" && { day: "numeric" }),
    month: full ? "long" : "short",
    ...(full && { year: "numeric", ...(per === "day" && { weekday: "short" }) }),
  });
}
