/** A bar for each of the last 48 hours; today's are darker. */
import type { Overview } from "../api/types";
import { timeShort, zoneOffset } from "../charts/scale";
import { gpuTimeInWords } from "../quantity/words";
import { useTimeZone } from "../time/zone";
import classes from "./overview.module.css";

type Hours = Overview["gpu_hours"]["hours"];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function HourBars({ hours }: { hours: Hours | undefined }) {
  const zone = useTimeZone();
  const told = hours ?? [];
  const latest = Date.parse(told.at(-1)?.start ?? "") || 0;
  const today = dayStart(latest, zone);
  const most = Math.max(...told.map(({ gpu_seconds }) => gpu_seconds), 1);
  const sum = told.reduce((all, { gpu_seconds }) => all + gpu_seconds, 0);
  return (
    <div className={classes.hours}>
      <div
        className={classes.bars}
        role="img"
        aria-label={
          hours
            ? `GPU time of the last ${told.length} hours: ${gpuTimeInWords(sum)} in all, at most ${gpuTimeInWords(most)} in one hour.`
            : "Loading GPU time by hour"
        }
      >
        {told.map(({ start, gpu_seconds }) => {
          const at = Date.parse(start);
          return (
            <span
              key={start}
              className={classes.hour}
              data-today={at >= today || undefined}
              data-midnight={dayStart(at, zone) === at || undefined}
              title={`${timeShort(at, zone)} to ${timeShort(at + HOUR_MS, zone).slice(-5)}\n${gpuTimeInWords(gpu_seconds)}`}
            >
              <span style={{ height: `${(gpu_seconds / most) * 100}%` }} />
            </span>
          );
        })}
      </div>
      <div aria-hidden className={classes.days}>
        {told.map(({ start }, index) => {
          const at = Date.parse(start);
          if (dayStart(at, zone) !== at) return null;
          return (
            <span key={start} style={{ left: `${(index / told.length) * 100}%` }}>
              {at === today ? "Today" : "Yesterday"}
            </span>
          );
        })}
      </div>
    </div>
  );
}

function dayStart(at: number, zone: string): number {
  const offset = zoneOffset(at, zone);
  return Math.floor((at + offset) / DAY_MS) * DAY_MS - offset;
}
