/** What a chart draws: points over time, with gaps where nothing was measured. */

export interface ChartPoint {
  /** Milliseconds since 1970. */
  at: number;
  value: number | null;
  low?: number;
  high?: number;
}

export interface ChartSeries {
  id: string;
  name: string;
  points: readonly ChartPoint[];
  /** A token of the palette, such as "--state-running", where the series is a state. */
  tone?: string;
  /** Drawn weaker: what is there without being used. */
  faint?: boolean;
}

/**
 * A value with its unit. `exact` says it with all its digits, `tick` at the axis, where the chart's
 * name may say the unit; `binary` puts ticks at powers of 2.
 */
export interface Format {
  (value: number): string;
  exact?: (value: number) => string;
  tick?: (value: number) => string;
  binary?: boolean;
  /** The whole, where there is one: the scale ends there while nothing is above it. */
  whole?: number;
}

/** A hole of more steps than this between two points is a gap and no line. */
const GAP_STEPS = 2.5;
const STEPS_LOOKED_AT = 200;

/** The usual time between two points in milliseconds; 0 with fewer than two. */
export function stepOf(points: readonly ChartPoint[]): number {
  const steps: number[] = [];
  for (let at = 1; at < points.length && steps.length < STEPS_LOOKED_AT; at += 1) {
    steps.push(timeAt(points, at) - timeAt(points, at - 1));
  }
  steps.sort((a, b) => a - b);
  return steps[steps.length >> 1] ?? 0;
}

/** The points with a hole put in wherever some are missing. */
export function gapped(points: readonly ChartPoint[]): readonly ChartPoint[] {
  const longest = stepOf(points) * GAP_STEPS;
  const holed = points.some((point, at) => at > 0 && point.at - timeAt(points, at - 1) > longest);
  if (longest === 0 || !holed) return points;
  const found: ChartPoint[] = [];
  let last: ChartPoint | undefined;
  for (const point of points) {
    if (last && point.at - last.at > longest) {
      found.push({ at: (last.at + point.at) / 2, value: null });
    }
    found.push(point);
    last = point;
  }
  return found;
}

/** All series at the same times, so that they can stand on one another. */
export function aligned(series: readonly ChartSeries[]): ChartSeries[] {
  const times = [...new Set(series.flatMap(({ points }) => points.map(({ at }) => at)))].sort(
    (a, b) => a - b,
  );
  return series.map((each) => {
    if (each.points.length === times.length) return each;
    const known = new Map(each.points.map((point) => [point.at, point]));
    return { ...each, points: times.map((at) => known.get(at) ?? { at, value: null }) };
  });
}

/** The point nearest to `at`, unless it is farther away than `reach` milliseconds. */
export function pointNear(
  points: readonly ChartPoint[],
  at: number,
  reach: number,
): ChartPoint | null {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeAt(points, middle) < at) low = middle + 1;
    else high = middle;
  }
  const before = points[low - 1];
  const after = points[low];
  const nearest = !before || (after && after.at - at < at - before.at) ? after : before;
  return nearest && Math.abs(nearest.at - at) <= reach ? nearest : null;
}

export interface Extremes {
  least: number;
  most: number;
  latest: ChartPoint | null;
}

/** null when there is no value at all. */
export function extremesOf(points: readonly ChartPoint[]): Extremes | null {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let latest: ChartPoint | null = null;
  for (const point of points) {
    if (point.value === null) continue;
    least = Math.min(least, point.low ?? point.value);
    most = Math.max(most, point.high ?? point.value);
    latest = point;
  }
  return latest && { least, most, latest };
}

/** The highest that will be drawn, in sum when stacked. */
export function peakOf(series: readonly ChartSeries[], stacked: boolean): number {
  if (!stacked) {
    return series.reduce((most, { points }) => Math.max(most, extremesOf(points)?.most ?? 0), 0);
  }
  const sums = new Map<number, number>();
  for (const { points } of series) {
    for (const { at, value } of points) sums.set(at, (sums.get(at) ?? 0) + (value ?? 0));
  }
  let most = 0;
  for (const sum of sums.values()) most = Math.max(most, sum);
  return most;
}

function timeAt(points: readonly ChartPoint[], index: number): number {
  return points[index]?.at ?? 0;
}
