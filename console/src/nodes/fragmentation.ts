/** What is free and stranded, in words and as curves. Pure. */
import type { Fragmentation } from "../api/types";
import type { ChartPoint, ChartSeries } from "../charts/series";
import { milliInWords } from "../quantity/words";

type Point = Fragmentation["points"][number];
type Stock = Fragmentation["stocks"][number];

/** Of all that is asked for together, as it was noted last. */
export function strandedInWords(points: readonly Point[]): string {
  const last = points.at(-1);
  if (!last) return "";
  if (last.free_milli === 0) return "Nothing is free, so nothing is stranded.";
  const free = gpus(last.free_milli);
  if (last.stranded_milli === 0) {
    return `${free} free. A typical request can use all of it.`;
  }
  if (last.stranded_milli === last.free_milli) {
    return `${free} free, and all of it is stranded: a typical request finds no room.`;
  }
  const many = last.stranded_milli > 1000 ? "are" : "is";
  return `${free} free, of which ${milliInWords(last.stranded_milli)} ${many} stranded (${shareInWords(last)}).`;
}

function gpus(milli: number): string {
  return `${milliInWords(milli)} ${milli > 1000 ? "GPUs are" : "GPU is"}`;
}

/** 25 % */
export function shareInWords(point: Point): string {
  return point.free_milli === 0 ? "–" : `${Math.round(share(point))}\u00a0%`;
}

function share({ free_milli, stranded_milli }: Point): number {
  return (100 * stranded_milli) / free_milli;
}

/** What can be used stands below what cannot; together they are what is free. */
export function amounts(points: readonly Point[]): ChartSeries[] {
  const line = (read: (point: Point) => number): ChartPoint[] =>
    points.map((point) => ({ at: Date.parse(point.at), value: read(point) / 1000 }));
  return [
    {
      id: "stranded",
      name: "Stranded",
      tone: "--state-warning",
      points: line((point) => point.stranded_milli),
    },
    {
      id: "usable",
      name: "Free and of use",
      tone: "--line-strong",
      faint: true,
      points: line((point) => point.free_milli - point.stranded_milli),
    },
  ];
}

/** Where nothing was free, no share was stranded and the line has a gap. */
export function shares({ stocks }: Fragmentation): ChartSeries[] {
  return stocks.map((stock) => ({
    id: stockInWords(stock),
    name: stockInWords(stock),
    points: stock.points.map((point) => ({
      at: Date.parse(point.at),
      value: point.free_milli === 0 ? null : share(point),
    })),
  }));
}

export function stockInWords({ gpu_type, pool }: Stock): string {
  return pool ? `${gpu_type} in ${pool}` : gpu_type;
}
