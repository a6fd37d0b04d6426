/** The cluster's GPUs over time, as the chart draws them. Pure. */
import type { Capacity, Overview } from "../api/types";
import type { ChartSeries } from "../charts/series";

type CapacityPoint = Capacity["points"][number];

/**
 * With what the live feed tells at its end: a new point at the pace of those that were read. The
 * last one read may stand for a time that is not over; what is so now takes its place.
 */
export function capacityGrown(capacity: Capacity, news: Overview): Capacity {
  const { points } = capacity;
  const point = pointOf(news);
  const at = Date.parse(point.at);
  const [first, second] = points;
  const before = points.at(-2);
  if (before && at <= timeOf(before)) return capacity;
  const last = points.at(-1);
  const step = first && second ? timeOf(second) - timeOf(first) : 0;
  const replaces = last && (at <= timeOf(last) || (before && at - timeOf(before) < step));
  return { ...capacity, points: replaces ? points.with(-1, point) : [...points, point] };
}

function timeOf({ at }: CapacityPoint): number {
  return Date.parse(at);
}

function pointOf({ at, gpus, queue }: Overview): CapacityPoint {
  const measured = gpus.filter(({ busy_milli }) => busy_milli !== null);
  return {
    at,
    devices_milli: gpus.reduce((sum, { devices }) => sum + devices * 1000, 0),
    held_milli: gpus.reduce((sum, { held_milli }) => sum + held_milli, 0),
    busy_milli: measured.length
      ? measured.reduce((sum, { busy_milli }) => sum + (busy_milli ?? 0), 0)
      : null,
    wanted_milli: queue.gpu_milli_wanted,
  };
}

/** Busy, held without being used, and free on one another; what nothing measured is held. */
export function capacitySeries(points: readonly CapacityPoint[]): ChartSeries[] {
  const told = points.map(({ at, devices_milli, held_milli, busy_milli }) => {
    const busy = busy_milli === null ? null : Math.min(busy_milli, held_milli);
    return {
      at: Date.parse(at),
      busy: busy === null ? null : busy / 1000,
      idle: busy === null ? null : (held_milli - busy) / 1000,
      held: busy === null ? held_milli / 1000 : null,
      free: Math.max(0, devices_milli - held_milli) / 1000,
    };
  });
  const series = (id: "busy" | "idle" | "held" | "free", name: string, tone: string) => ({
    id,
    name,
    tone,
    faint: id === "idle" || id === "free",
    points: told.map((each) => ({ at: each.at, value: each[id] })),
  });
  return [
    series("busy", "Busy", "--state-running"),
    series("idle", "Held, not busy", "--state-running"),
    series("held", "Held, not measured", "--state-running"),
    series("free", "Free", "--line-strong"),
  ].filter(({ id, points: each }) => id === "free" || each.some(({ value }) => value !== null));
}
