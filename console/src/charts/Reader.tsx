/** Reads a chart by pointer or arrow keys: a crosshair with what stands there; dragging selects. */
import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import classes from "./charts.module.css";
import { type Crosshair, useCrosshairTime } from "./crosshair";
import type { DrawnSeries } from "./drawn";
import { type Reading, readingsAt, snapped } from "./reading";
import { timeExact } from "./scale";
import { type Format, stepOf } from "./series";

interface Props {
  label: string;
  series: readonly DrawnSeries[];
  from: number;
  to: number;
  max: number;
  format: Format;
  stacked: boolean;
  zone: string | undefined;
  crosshair: Crosshair;
  onRange: ((from: number, to: number) => void) | undefined;
}

/** Less than this is a click and no selection. */
const DRAG_PX = 6;
const ROWS = 8;
const LEAP = 10;

export function Reader(props: Props) {
  const { label, series, from, to, max, format, stacked, zone, crosshair, onRange } = props;
  const ref = useRef<HTMLDivElement>(null);
  const at = useCrosshairTime(crosshair);
  const [reading, setReading] = useState(false);
  const [drag, setDrag] = useState<{ start: number; end: number } | null>(null);

  const share = (time: number) => (time - from) / (to - from);
  const timeOf = (event: PointerEvent) => {
    const box = ref.current?.getBoundingClientRect();
    if (!box?.width) return from;
    const x = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    return from + x * (to - from);
  };

  function move(event: PointerEvent) {
    const time = timeOf(event);
    if (drag) setDrag({ ...drag, end: time });
    setReading(true);
    crosshair.move(within(snapped(series, time)));
  }

  /** Snapped to what the plot shows. */
  function within(time: number | null): number | null {
    return time === null || time < from || time > to ? null : time;
  }

  function press(event: PointerEvent) {
    if (!onRange || event.button !== 0 || event.pointerType === "touch") return;
    ref.current?.setPointerCapture(event.pointerId);
    const time = timeOf(event);
    setDrag({ start: time, end: time });
  }

  function release() {
    if (!drag) return;
    setDrag(null);
    const [start, end] = drag.start < drag.end ? [drag.start, drag.end] : [drag.end, drag.start];
    const width = ref.current?.getBoundingClientRect().width ?? 0;
    if ((share(end) - share(start)) * width >= DRAG_PX) onRange?.(start, end);
  }

  function leave() {
    setReading(false);
    crosshair.move(null);
  }

  function key(event: KeyboardEvent) {
    if (event.key === "Escape" && at !== null) {
      event.preventDefault();
      leave();
      return;
    }
    const step = Math.max(...series.map(({ points }) => stepOf(points)), 1);
    const leaps: Record<string, number> = {
      ArrowLeft: (at ?? to) - step,
      ArrowRight: (at ?? from) + step,
      PageDown: (at ?? to) - LEAP * step,
      PageUp: (at ?? from) + LEAP * step,
      Home: from,
      End: to,
    };
    const aim = leaps[event.key];
    if (aim === undefined) return;
    event.preventDefault();
    setReading(true);
    crosshair.move(within(snapped(series, Math.min(to, Math.max(from, aim)))));
  }

  const shown = at !== null && at >= from && at <= to;
  const readings = shown ? readingsAt(series, at, stacked) : [];
  return (
    <div
      ref={ref}
      role="slider"
      tabIndex={0}
      className={classes.reader}
      data-selectable={onRange !== undefined || undefined}
      aria-label={`${label}, read by time`}
      aria-valuemin={from}
      aria-valuemax={to}
      aria-valuenow={at ?? to}
      aria-valuetext={shown ? inWords(at, readings, format, zone) : "No time is chosen."}
      onPointerMove={move}
      onPointerLeave={leave}
      onPointerDown={press}
      onPointerUp={release}
      onPointerCancel={() => setDrag(null)}
      onBlur={leave}
      onKeyDown={key}
    >
      {drag && (
        <span
          className={classes.selection}
          style={{
            left: `${share(Math.min(drag.start, drag.end)) * 100}%`,
            width: `${Math.abs(share(drag.end) - share(drag.start)) * 100}%`,
          }}
        />
      )}
      {shown && (
        <span className={classes.crosshair} style={{ left: `${share(at) * 100}%` }}>
          {!stacked &&
            readings
              .slice(0, ROWS)
              .map(({ series: { id, colour }, point }) => (
                <span
                  key={id}
                  className={classes.dot}
                  style={{ background: colour, top: `${(1 - (point.value ?? 0) / max) * 100}%` }}
                />
              ))}
          {reading && (
            <Tooltip
              at={at}
              readings={readings}
              format={format}
              stacked={stacked}
              zone={zone}
              left={share(at) > 0.5}
            />
          )}
        </span>
      )}
    </div>
  );
}

interface TooltipProps {
  at: number;
  readings: readonly Reading[];
  format: Format;
  stacked: boolean;
  zone: string | undefined;
  left: boolean;
}

function Tooltip({ at, readings, format, stacked, zone, left }: TooltipProps) {
  const exact = format.exact ?? format;
  const sum = readings.reduce((total, { point }) => total + (point.value ?? 0), 0);
  return (
    <span className={classes.tooltip} data-left={left || undefined} aria-hidden>
      <span className={classes.tooltipTime}>{timeExact(at, zone)}</span>
      {readings.length === 0 && <span className={classes.tooltipRow}>Nothing was measured</span>}
      {readings.slice(0, ROWS).map(({ series: { id, name, colour, dashed, faint }, point }) => (
        <span key={id} className={classes.tooltipRow}>
          <span
            className={classes.swatch}
            data-dashed={dashed || undefined}
            data-faint={faint || undefined}
            data-area={stacked || undefined}
            style={{ color: colour }}
          />
          <span className={classes.tooltipName}>{name}</span>
          <span className={classes.tooltipValue}>{exact(point.value ?? 0)}</span>
          {point.low !== undefined && point.high !== undefined && point.low !== point.high && (
            <span className={classes.tooltipBand}>
              {format(point.low)} to {format(point.high)}
            </span>
          )}
        </span>
      ))}
      {readings.length > ROWS && (
        <span className={classes.tooltipBand}>and {readings.length - ROWS} more below</span>
      )}
      {stacked && readings.length > 1 && (
        <span className={classes.tooltipRow} data-sum>
          <span />
          <span className={classes.tooltipName}>Together</span>
          <span className={classes.tooltipValue}>{exact(sum)}</span>
        </span>
      )}
    </span>
  );
}

function inWords(
  at: number,
  readings: readonly Reading[],
  format: Format,
  zone: string | undefined,
): string {
  const values = readings
    .slice(0, ROWS)
    .map(({ series, point }) => `${series.name} ${format(point.value ?? 0)}`);
  return `${timeExact(at, zone)}: ${values.join(", ") || "nothing was measured"}`;
}
