/** Series as the paths of an SVG, one unit to a pixel. Pure; `Lines` draws them. */
import { area, line } from "d3-shape";
import { type ChartPoint, type ChartSeries, gapped } from "./series";
import { type LayerPoint, layersOf, layersThinned, thinned, within } from "./thinning";

export interface Frame {
  from: number;
  to: number;
  max: number;
  width: number;
  height: number;
}

/** As the `d` of a path; each may be empty. */
export interface SeriesPaths {
  line: string;
  /** Filled, under the line. */
  area: string;
  /** From the least to the most. */
  band: string;
  /** Values with a hole on both sides, which make no line. */
  dots: string;
}

/** One for each series. A single one that stands alone has its area filled. */
export function pathsOf(
  series: readonly ChartSeries[],
  frame: Frame,
  stacked: boolean,
): SeriesPaths[] {
  const { from, to, width } = frame;
  if (!(to > from) || width <= 0) return series.map(() => ({ ...NOTHING }));
  const column = (to - from) / width;
  const seen = series.map(({ points }) => within(gapped(points), from, to));
  if (stacked) {
    return layersThinned(layersOf(seen), column).map((layer) => layerPaths(layer, frame));
  }
  return seen.map((points) => linePaths(thinned(points, column), frame, series.length === 1));
}

const NOTHING: SeriesPaths = { line: "", area: "", band: "", dots: "" };
const DIGITS = 2;

function linePaths(points: readonly ChartPoint[], frame: Frame, filled: boolean): SeriesPaths {
  const { x, y } = scalesOf(frame);
  const told = (point: ChartPoint) => point.value !== null;
  const drawLine = line<ChartPoint>(x, ({ value }) => y(value ?? 0))
    .defined(told)
    .digits(DIGITS);
  const drawArea = area<ChartPoint>(x, y(0), ({ value }) => y(value ?? 0))
    .defined(told)
    .digits(DIGITS);
  const drawBand = area<ChartPoint>(
    x,
    ({ value, low }) => y(low ?? value ?? 0),
    ({ value, high }) => y(high ?? value ?? 0),
  )
    .defined(told)
    .digits(DIGITS);
  const banded = points.some(({ low, high }) => low !== undefined && high !== low);
  return {
    line: drawLine(points) ?? "",
    area: (filled && drawArea(points)) || "",
    band: (banded && drawBand(points)) || "",
    dots: dotsOf(points, told, drawLine),
  };
}

function layerPaths(layer: readonly LayerPoint[], frame: Frame): SeriesPaths {
  const { x, y } = scalesOf(frame);
  const told = ({ top }: LayerPoint) => top !== null;
  const drawLine = line<LayerPoint>(x, ({ top }) => y(top ?? 0))
    .defined(told)
    .digits(DIGITS);
  const drawArea = area<LayerPoint>(
    x,
    ({ bottom }) => y(bottom),
    ({ top }) => y(top ?? 0),
  )
    .defined(told)
    .digits(DIGITS);
  return {
    line: drawLine(layer) ?? "",
    area: drawArea(layer) ?? "",
    band: "",
    dots: dotsOf(layer, told, drawLine),
  };
}

function scalesOf({ from, to, max, width, height }: Frame) {
  return {
    x: ({ at }: { at: number }) => ((at - from) / (to - from)) * width,
    y: (value: number) => (1 - value / max) * height,
  };
}

function dotsOf<T>(
  points: readonly T[],
  told: (point: T) => boolean,
  draw: (points: T[]) => string | null,
): string {
  const open = (point: T | undefined) => point === undefined || !told(point);
  return points
    .filter((point, at) => told(point) && open(points[at - 1]) && open(points[at + 1]))
    .map((point) => draw([point]))
    .join("");
}
