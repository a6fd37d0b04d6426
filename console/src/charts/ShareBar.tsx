/** How a whole is shared: one bar of parts, its legend, and the same in words. */
import type { ReactNode } from "react";
import classes from "./charts.module.css";
import { colourOf } from "./colours";
import type { Format } from "./series";

export interface SharePart {
  id: string;
  label: string;
  value: number;
  /** A token of the palette where the part is a state; else it has its series' colour. */
  tone?: string;
  /** "hatch" for what is held without being used, "empty" for what is free. */
  fill?: "solid" | "hatch" | "empty";
  /** Where the part is listed. */
  link?: ReactNode;
}

interface Props {
  label: string;
  parts: readonly SharePart[];
  format: Format;
  /** The whole; the sum of the parts if none. */
  total?: number;
  legend?: boolean;
  height?: number;
}

export function ShareBar({ label, parts, format, total, legend = true, height = 8 }: Props) {
  const all = parts.map(({ id }) => id);
  const whole = total ?? parts.reduce((sum, { value }) => sum + value, 0);
  const exact = format.exact ?? format;
  const told = parts.map(({ label: name, value }) => `${name} ${format(value)}`).join(", ");
  const colour = ({ id, tone }: SharePart) => (tone ? `var(${tone})` : colourOf(id, all));
  return (
    <div className={classes.share}>
      <div
        role="img"
        aria-label={`${label}: ${told || "nothing"}, of ${format(whole)}`}
        className={classes.shareBar}
        style={{ height }}
      >
        {parts.map((part) =>
          part.value > 0 ? (
            <span
              key={part.id}
              className={classes.sharePart}
              data-fill={part.fill ?? "solid"}
              title={`${part.label}: ${exact(part.value)}`}
              style={{ color: colour(part), flexGrow: whole > 0 ? part.value / whole : 0 }}
            />
          ) : null,
        )}
      </div>
      {legend && (
        <ul className={classes.shareLegend}>
          {parts.map((part) => (
            <li key={part.id} title={exact(part.value)}>
              <span
                aria-hidden
                className={classes.shareSwatch}
                data-fill={part.fill ?? "solid"}
                style={{ color: colour(part) }}
              />
              {part.link ?? part.label}
              <span className={classes.shareValue}>{format(part.value)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
