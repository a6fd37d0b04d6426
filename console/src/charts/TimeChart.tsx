/** Values over time: lines, or areas on one another. */
import { type CSSProperties, type ReactNode, useId, useMemo, useState } from "react";
import { useClock } from "../time/clock";
import { useTimeZone } from "../time/zone";
import { ChartTable } from "./ChartTable";
import classes from "./charts.module.css";
import { useCrosshair } from "./crosshair";
import { drawnOf } from "./drawn";
import { Legend } from "./Legend";
import { Lines } from "./Lines";
import { pathsOf } from "./paths";
import { Reader } from "./Reader";
import { timeTicks, valueScale } from "./scale";
import { aligned, type ChartSeries, type Format, peakOf } from "./series";
import { useWidth } from "./useWidth";

export interface TimeChartProps {
  /** Its name: what is measured, without the unit. */
  label: string;
  /** undefined while it loads: the room is kept. */
  series: readonly ChartSeries[] | undefined;
  /** Milliseconds since 1970. A `to` later than now shows the future hatched. */
  from: number;
  to: number;
  format: Format;
  /** What may be used at most: a dashed line with its value. */
  limit?: number | null | undefined;
  /** Of the plot alone, in pixels. */
  height?: number;
  stacked?: boolean;
  /** Makes the plot selectable by dragging; gets milliseconds. */
  onRange?: (from: number, to: number) => void;
  /** Said in place of the lines when there is no value. */
  empty?: string;
  /** Charts of one group move their crosshairs together. */
  group?: string;
  /** Hides the head, where the page has its own. The name stays for screen readers. */
  bare?: boolean;
  /** Stands at the right of the head. */
  action?: ReactNode;
}

/** A limit this many times above everything measured is told and not drawn, so that lines stay seen. */
const LIMIT_FAR = 5;
const LABEL_LETTER_PX = 7;
const LABEL_LEAST_PX = 32;
/** Plots of one group stand under one another. */
const LABEL_GROUP_PX = 68;
const FUTURE_PACE_MS = 10_000;
/** A future narrower than this part of the plot is only the plot's own pace. */
const FUTURE_LEAST = 0.01;

export function TimeChart(props: TimeChartProps) {
  const { label, series, from, to, format, limit, height = 160, stacked = false } = props;
  const { onRange, empty = "Nothing was measured in this time.", group, bare, action } = props;
  const titleId = useId();
  const zone = useTimeZone();
  const crosshair = useCrosshair(group);
  const [looked, setLooked] = useState<string | null>(null);
  const [plotRef, width] = useWidth();
  // Where the range ends now, or ended, there is no future to show.
  const now = useClock((ms) =>
    to - ms > Math.max(2 * FUTURE_PACE_MS, (to - from) * FUTURE_LEAST)
      ? ms - (ms % FUTURE_PACE_MS)
      : Number.POSITIVE_INFINITY,
  );

  const told = useMemo(() => (stacked ? aligned(series ?? []) : (series ?? [])), [series, stacked]);
  const drawn = useMemo(() => drawnOf(told, looked), [told, looked]);
  const peak = useMemo(() => peakOf(told, stacked), [told, stacked]);
  const limitNear = typeof limit === "number" && (peak === 0 || limit <= peak * LIMIT_FAR);
  const { max, ticks } = valueScale(
    Math.max(peak, limitNear ? limit : 0),
    format,
    height < 120 ? 2 : 4,
  );
  const paths = useMemo(
    () => pathsOf(told, { from, to, max, width, height }, stacked),
    [told, from, to, max, width, height, stacked],
  );
  const labels = ticks.map((tick) => ({ tick, text: (format.tick ?? format)(tick) }));
  const longest = Math.max(...labels.map(({ text }) => text.length));
  const axisWidth = Math.max(
    group === undefined ? LABEL_LEAST_PX : LABEL_GROUP_PX,
    Math.ceil(longest * LABEL_LETTER_PX) + 10,
  );
  const hasValues = drawn.some(({ points }) => points.some(({ value }) => value !== null));
  const share = (at: number) => `${((at - from) / (to - from)) * 100}%`;

  return (
    <figure
      className={classes.chart}
      aria-labelledby={titleId}
      style={{ "--plot": `${height}px`, "--axis": `${axisWidth}px` } as CSSProperties}
    >
      <figcaption className={bare ? classes.hidden : classes.head}>
        <span id={titleId} className={classes.title}>
          {label}
        </span>
        {typeof limit === "number" && !limitNear && (
          <span className={classes.note}>limit {format(limit)}</span>
        )}
        {action}
      </figcaption>
      <div className={classes.body} data-loading={series === undefined || undefined}>
        {labels.map(({ tick, text }) => (
          <div
            key={tick}
            aria-hidden
            className={classes.level}
            style={{ top: `${(1 - tick / max) * 100}%` }}
          >
            {series && <span className={classes.levelText}>{text}</span>}
          </div>
        ))}
        <div className={classes.plot} ref={plotRef}>
          {now < to && (
            <div
              aria-hidden
              className={classes.future}
              style={{ left: share(Math.max(now, from)) }}
            >
              <span className={classes.now}>now</span>
            </div>
          )}
          {hasValues && (
            <Lines series={drawn} paths={paths} width={width} height={height} stacked={stacked} />
          )}
          {limitNear && series && (
            <div
              aria-hidden
              className={classes.limit}
              data-low={limit / max > 0.86 || undefined}
              style={{ top: `${(1 - limit / max) * 100}%` }}
            >
              <span>limit {format(limit)}</span>
            </div>
          )}
          {hasValues && (
            <Reader
              label={label}
              series={drawn}
              from={from}
              to={to}
              max={max}
              format={format}
              stacked={stacked}
              zone={zone}
              crosshair={crosshair}
              onRange={onRange}
            />
          )}
          {series && !hasValues && <p className={classes.empty}>{empty}</p>}
          {series === undefined && (
            <span role="status" className={classes.hidden}>
              Loading {label}
            </span>
          )}
        </div>
        {timeTicks(from, to, width, zone).map(({ at, text }) => (
          <span
            key={at}
            aria-hidden
            className={classes.time}
            style={{ "--at": share(at) } as CSSProperties}
          >
            {text}
          </span>
        ))}
      </div>
      {drawn.length > 1 && (
        <Legend
          series={drawn}
          format={format}
          stacked={stacked}
          crosshair={crosshair}
          looked={looked}
          onLook={setLooked}
        />
      )}
      <ChartTable label={label} series={drawn} format={format} limit={limit} />
    </figure>
  );
}
