/** The lines, bands and areas of a chart. They stretch with their plot until they are drawn anew. */
import classes from "./charts.module.css";
import type { DrawnSeries } from "./drawn";
import type { SeriesPaths } from "./paths";

interface Props {
  series: readonly DrawnSeries[];
  /** One for each series, drawn for this size of the plot in pixels. */
  paths: readonly SeriesPaths[];
  width: number;
  height: number;
  stacked: boolean;
}

/** The drawing is this much larger than the plot on each side, so that no line is cut. */
const MARGIN = 3;

export function Lines({ series, paths, width, height, stacked }: Props) {
  const all = series.map((each, at) => ({ ...each, ...paths[at] }));
  // What is drawn later stands in front.
  const lines = [...all.filter(({ dimmed }) => dimmed), ...all.filter(({ dimmed }) => !dimmed)];
  const beyond = `calc(100% + ${2 * MARGIN}px)`;
  return (
    <svg
      aria-hidden
      className={classes.lines}
      viewBox={`${-MARGIN} ${-MARGIN} ${width + 2 * MARGIN} ${height + 2 * MARGIN}`}
      preserveAspectRatio="none"
      style={{ left: -MARGIN, top: -MARGIN, width: beyond, height: beyond }}
    >
      {all.map(({ id, colour, dimmed, band }) =>
        band && !dimmed ? (
          <path key={id} className={classes.band} style={{ color: colour }} d={band} />
        ) : null,
      )}
      {lines.map(({ id, colour, dashed, dimmed, faint, line, area, dots }) => (
        <g
          key={id}
          style={{ color: colour }}
          data-stacked={stacked || undefined}
          data-dashed={dashed || undefined}
          data-faint={faint || undefined}
          data-dimmed={dimmed || undefined}
        >
          {area && <path className={classes.area} d={area} />}
          {line && <path className={classes.line} d={line} />}
          {dots && <path className={classes.dots} d={dots} />}
        </g>
      ))}
    </svg>
  );
}
