/** Leaves out of a series what no pixel could show. Pure; paths are built of what is left. */
import type { ChartPoint } from "./series";

/** One place of a layer of a stack: from what is below it to its own top, which is null in a hole. */
export interface LayerPoint {
  at: number;
  bottom: number;
  top: number | null;
}

interface Timed {
  at: number;
}

/** What is between `from` and `to`, with one more on each side for the lines that lead there. */
export function within<T extends Timed>(points: readonly T[], from: number, to: number) {
  const first = firstAt(points, ({ at }) => at >= from);
  const after = firstAt(points, ({ at }) => at > to);
  if (first <= 1 && after >= points.length - 1) return points;
  return points.slice(Math.max(0, first - 1), after + 1);
}

/**
 * At most two values of each `column` milliseconds: the least and the most, in their order. Between
 * two that stay there is a hole if there was one before. Bands reach as far as any of their column.
 * Columns are counted from 1970, so a range that moves on thins what stays in it as it did.
 */
export function thinned(points: readonly ChartPoint[], column: number): readonly ChartPoint[] {
  const kept: ChartPoint[] = [];
  for (const [start, end] of columnsOf(points, column)) {
    if (end - start <= 2) kept.push(...points.slice(start, end));
    else kept.push(...extremesIn(points, start, end));
  }
  return kept.length === points.length ? points : kept;
}

/** Layers on one another; the series have the same times. */
export function layersOf(series: readonly (readonly ChartPoint[])[]): LayerPoint[][] {
  const sums = new Float64Array(series[0]?.length ?? 0);
  return series.map((points) =>
    points.map(({ at, value }, index) => {
      const bottom = sums[index] ?? 0;
      if (value === null) return { at, bottom, top: null };
      sums[index] = bottom + value;
      return { at, bottom, top: bottom + value };
    }),
  );
}

/**
 * As `thinned`, with all layers at the same times: those of the least and the most of the whole. Each
 * layer has its own extremes there, so that layers never cross.
 */
export function layersThinned(layers: readonly LayerPoint[][], column: number): LayerPoint[][] {
  const upmost = layers.at(-1) ?? [];
  const kept = layers.map((): LayerPoint[] => []);
  for (const [start, end] of columnsOf(upmost, column)) {
    const places = end - start <= 2 ? null : extremePlaces(upmost, start, end, sumOf);
    layers.forEach((layer, index) => {
      kept[index]?.push(
        ...(places ? layerExtremes(layer, start, end, places) : layer.slice(start, end)),
      );
    });
  }
  return kept;
}

function* columnsOf(points: readonly Timed[], column: number): Generator<[number, number]> {
  for (let start = 0; start < points.length; ) {
    const of = columnAt(points, start, column);
    let end = start + 1;
    while (end < points.length && columnAt(points, end, column) === of) end += 1;
    yield [start, end];
    start = end;
  }
}

function columnAt(points: readonly Timed[], index: number, column: number): number {
  return Math.floor((points[index]?.at ?? 0) / column);
}

function firstAt<T>(points: readonly T[], holds: (point: T) => boolean): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(points[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}

interface Places {
  least: number;
  most: number;
}

/** null when there is no value. */
function extremePlaces<T>(
  points: readonly T[],
  start: number,
  end: number,
  told: (point: T) => number | null,
): Places | null {
  let found: Places | null = null;
  let low = 0;
  let high = 0;
  for (let index = start; index < end; index += 1) {
    const value = told(points[index] as T);
    if (value === null) continue;
    if (!found) {
      found = { least: index, most: index };
      low = value;
      high = value;
    } else if (value < low) {
      found.least = index;
      low = value;
    } else if (value > high) {
      found.most = index;
      high = value;
    }
  }
  return found;
}

function extremesIn(points: readonly ChartPoint[], start: number, end: number): ChartPoint[] {
  const places = extremePlaces(points, start, end, ({ value }) => value);
  const kept: ChartPoint[] = [];
  const band = bandIn(points, start, end);
  for (let index = start; index < end; index += 1) {
    const point = points[index] as ChartPoint;
    if (index === places?.least || index === places?.most) kept.push({ ...point, ...band });
    else if (point.value === null && kept.at(-1)?.value !== null) kept.push(point);
  }
  return kept;
}

function bandIn(points: readonly ChartPoint[], start: number, end: number) {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let banded = false;
  for (let index = start; index < end; index += 1) {
    const { value, low, high } = points[index] as ChartPoint;
    if (value === null) continue;
    banded ||= low !== undefined || high !== undefined;
    least = Math.min(least, low ?? value);
    most = Math.max(most, high ?? value);
  }
  return banded ? { low: least, high: most } : undefined;
}

function sumOf({ bottom, top }: LayerPoint): number {
  return top ?? bottom;
}

function layerExtremes(
  layer: readonly LayerPoint[],
  start: number,
  end: number,
  whole: Places,
): LayerPoint[] {
  const least = { bottom: Number.POSITIVE_INFINITY, top: Number.POSITIVE_INFINITY };
  const most = { bottom: Number.NEGATIVE_INFINITY, top: Number.NEGATIVE_INFINITY };
  let hole: LayerPoint | null = null;
  let full = false;
  for (let index = start; index < end; index += 1) {
    const point = layer[index] as LayerPoint;
    const { bottom, top } = point;
    if (top === null) {
      hole ??= point;
      continue;
    }
    full = true;
    least.bottom = Math.min(least.bottom, bottom);
    least.top = Math.min(least.top, top);
    most.bottom = Math.max(most.bottom, bottom);
    most.top = Math.max(most.top, top);
  }
  if (!full) return hole ? [hole] : [];
  // A whole that stays the same may be made of parts that do not.
  const [lowAt, highAt] = whole.least === whole.most ? [start, end - 1] : [whole.least, whole.most];
  const low = { at: layer[lowAt]?.at ?? 0, ...least };
  const high = { at: layer[highAt]?.at ?? 0, ...most };
  const [first, second] = lowAt < highAt ? [low, high] : [high, low];
  return hole ? [first, { ...first, top: null }, second] : [first, second];
}
