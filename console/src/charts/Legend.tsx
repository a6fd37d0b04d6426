/** The series by colour, each with its value at the crosshair or its latest; press one to look at it. */
import classes from "./charts.module.css";
import { type Crosshair, useCrosshairTime } from "./crosshair";
import type { DrawnSeries } from "./drawn";
import { reachOf } from "./reading";
import { extremesOf, type Format, pointNear } from "./series";

interface Props {
  series: readonly DrawnSeries[];
  format: Format;
  stacked: boolean;
  crosshair: Crosshair;
  looked: string | null;
  onLook: (id: string | null) => void;
}

export function Legend({ series, format, stacked, crosshair, looked, onLook }: Props) {
  const at = useCrosshairTime(crosshair);
  const reach = at === null ? 0 : reachOf(series);
  return (
    <ul className={classes.legend}>
      {series.map(({ id, name, colour, dashed, faint, points }) => {
        const point = at === null ? extremesOf(points)?.latest : pointNear(points, at, reach);
        return (
          <li key={id}>
            <button
              type="button"
              className={classes.legendItem}
              aria-pressed={looked === id}
              onClick={() => onLook(looked === id ? null : id)}
            >
              <span
                aria-hidden
                className={classes.swatch}
                data-dashed={dashed || undefined}
                data-faint={faint || undefined}
                data-area={stacked || undefined}
                style={{ color: colour }}
              />
              <span className={classes.legendName}>{name}</span>
              <span className={classes.legendValue}>
                {point?.value == null ? "–" : format(point.value)}
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
