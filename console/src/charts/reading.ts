/** What stands at one time of a chart. Pure; the reader and the legend use it. */
import type { DrawnSeries } from "./drawn";
import { type ChartPoint, pointNear, stepOf } from "./series";

export interface Reading {
  series: DrawnSeries;
  point: ChartPoint;
}

/** How far from a time its point may be: three quarters of the widest step. */
export function reachOf(series: readonly DrawnSeries[]): number {
  const widest = series.reduce((most, { points }) => Math.max(most, stepOf(points)), 0);
  return widest === 0 ? Number.POSITIVE_INFINITY : widest * 0.75;
}

/** The time nearest to `at` at which something was measured. */
export function snapped(series: readonly DrawnSeries[], at: number): number | null {
  let nearest: number | null = null;
  for (const { points } of series) {
    const point = pointNear(points, at, Number.POSITIVE_INFINITY);
    if (point && (nearest === null || Math.abs(point.at - at) < Math.abs(nearest - at))) {
      nearest = point.at;
    }
  }
  return nearest;
}

/** The values at `at`; the highest first, or from the top down when stacked. */
export function readingsAt(
  series: readonly DrawnSeries[],
  at: number,
  stacked: boolean,
): Reading[] {
  const reach = reachOf(series);
  const found = series.flatMap((each) => {
    const point = pointNear(each.points, at, reach);
    return point && point.value !== null ? [{ series: each, point }] : [];
  });
  return stacked
    ? found.reverse()
    : found.sort((a, b) => (b.point.value ?? 0) - (a.point.value ?? 0));
}
