/** Demand and plans in words. Pure. */
import type { CapacityPlan, DemandReport } from "../api/types";
import type { ChartSeries } from "../charts/series";
import { durationInWords } from "../time/words";

export type Demand = DemandReport["items"][number];
type PlanType = NonNullable<CapacityPlan["result"]>["types"][number];

export function gpusInWords(gpus: number): string {
  return gpus.toLocaleString("en", { maximumFractionDigits: gpus < 10 ? 2 : 1 });
}

export function rowKey({ name, gpu_type }: Demand): string {
  return `${name} ${gpu_type}`;
}

/** A step after the last point closes its span. */
export function curvesOf(
  { curve = [], guarantee_gpus }: Demand,
  from: number,
  to: number,
): ChartSeries[] {
  const points = (of: "held_gpus" | "wanted_gpus") =>
    curve.map((point) => ({ at: Date.parse(point.at), value: point[of] }));
  return [
    {
      id: "wanted",
      name: "Held and waited for",
      points: points("wanted_gpus"),
      tone: "--state-waiting",
    },
    { id: "held", name: "Held", points: points("held_gpus"), tone: "--state-running" },
    {
      id: "guarantee",
      name: "Guaranteed now",
      tone: "--ink-3",
      points: [from, to].map((at) => ({ at, value: guarantee_gpus })),
    },
  ];
}

/** "4 more H100 would have brought the mean wait from 3 h to 1 h 20 min." */
export function typeInSentence(type: PlanType, target: number): string {
  const { gpu_type, more, before_seconds, after_seconds, tried_most, workloads } = type;
  const part = partInWords(target);
  if (workloads === 0) return `No work waited that could use ${gpu_type}.`;
  const was = durationInWords(before_seconds);
  if (more === null || after_seconds === null) {
    return `Not even ${tried_most.toLocaleString("en")} more ${gpu_type} would have brought the mean wait of ${was} to ${part}.`;
  }
  if (more === 0) return `The mean wait was ${was}; no more ${gpu_type} are needed.`;
  return `${more.toLocaleString("en")} more ${gpu_type} would have brought the mean wait from ${was} to ${durationInWords(after_seconds)}.`;
}

export function partInWords(target: number): string {
  return target === 0.5 ? "half" : target === 0.25 ? "a quarter" : `${Math.round(target * 100)} %`;
}
