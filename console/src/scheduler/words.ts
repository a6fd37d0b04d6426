/** What the scheduler did, in words and as curves. */
import type { Calibration, Cycle, SchedulerMinutes } from "../api/types";
import type { ChartSeries, Format } from "../charts/series";
import { counted } from "../quantity/words";
import { durationInWords } from "../time/words";
import { reasonInWords } from "../workloads/reasons";

type Minute = SchedulerMinutes["items"][number];
type Reasons = Cycle["reasons"];

const SECOND_MS = 1_000;
const MINUTE_SECONDS = 60;

/** 0.8 ms, 120 ms, 3.2 s */
export function tookInWords(ms: number): string {
  if (ms === 0) return "0 ms";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < SECOND_MS ? `${ms.toFixed(0)} ms` : `${(ms / SECOND_MS).toFixed(1)} s`;
}

export const tookFormat: Format = Object.assign((value: number) => tookInWords(value), {
  exact: (value: number) => `${value.toLocaleString("en", { maximumFractionDigits: 3 })} ms`,
});

/** "1,800 cycles: 12 ms at the median, 99 of 100 within 60 ms. …" */
export function minutesInWords(minutes: SchedulerMinutes): string {
  const sum = (read: (each: Minute) => number) =>
    minutes.items.reduce((total, each) => total + read(each), 0);
  const cycles = sum(({ cycles }) => cycles);
  if (cycles === 0) return "No cycle was in this time.";
  const median = sum((each) => each.median_ms * each.cycles) / cycles;
  const slowest = Math.max(...minutes.items.map(({ p99_ms }) => p99_ms));
  const recorded = sum((each) => each.recorded);
  const placed = sum((each) => each.placed);
  const preempted = sum((each) => each.preempted);
  return [
    `${counted(cycles, "cycle")}: ${tookInWords(median)} at the median, 99 of 100 within ${tookInWords(slowest)}.`,
    recorded === 0
      ? "None changed anything."
      : `${recorded.toLocaleString("en")} changed something: ${counted(placed, "replica")} placed, ${counted(preempted, "workload")} gave way.`,
  ].join(" ");
}

export interface Curves {
  cycles: ChartSeries[];
  times: ChartSeries[];
  decisions: ChartSeries[];
  refusals: ChartSeries[];
}

/** Counts as what comes in a minute. */
export function curvesOf(minutes: SchedulerMinutes): Curves {
  const perMinute = MINUTE_SECONDS / minutes.step_seconds;
  const line = (id: string, name: string, read: (each: Minute) => number): ChartSeries => ({
    id,
    name,
    points: minutes.items.map((each) => ({ at: Date.parse(each.at), value: read(each) })),
  });
  const reasons = [...new Set(minutes.items.flatMap((each) => each.reasons.map((r) => r.reason)))];
  return {
    cycles: [
      line("all", "All", (each) => each.cycles * perMinute),
      line("changed", "That changed something", (each) => each.recorded * perMinute),
    ],
    times: [
      line("median", "Median", (each) => each.median_ms),
      line("p99", "99th percentile", (each) => each.p99_ms),
    ],
    decisions: [
      line("placed", "Replicas placed", (each) => each.placed * perMinute),
      line("preempted", "Workloads that gave way", (each) => each.preempted * perMinute),
      line("told", "New reasons to wait", (each) => each.told * perMinute),
    ],
    refusals: reasons.map((reason) =>
      line(
        reason,
        reasonInWords(reason),
        (each) => each.reasons.find((one) => one.reason === reason)?.count ?? 0,
      ),
    ),
  };
}

/** "Capacity in use 12, Quota 3" */
export function reasonsInWords(reasons: Reasons): string {
  const shown = reasons
    .slice(0, 3)
    .map(({ reason, count }) => `${reasonInWords(reason)} ${count.toLocaleString("en")}`);
  return [...shown, ...(reasons.length > 3 ? ["…"] : [])].join(", ");
}

export interface CalibrationPart {
  id: "sooner" | "inside" | "later";
  name: string;
  count: number;
  /** How far outside, where it is. */
  note: string;
}

export function calibrationParts(given: Calibration): CalibrationPart[] {
  const by = ({ median_ms, worst_ms }: Calibration["sooner"]) =>
    `by ${durationInWords(median_ms / SECOND_MS)} at the median, ${durationInWords(worst_ms / SECOND_MS)} at most`;
  return [
    { id: "sooner", name: "Sooner", count: given.sooner.count, note: by(given.sooner) },
    { id: "inside", name: "As told", count: given.inside, note: "" },
    { id: "later", name: "Later", count: given.later.count, note: by(given.later) },
  ];
}

/** "83 % of 120 workloads that had to wait started when they were told." */
export function calibrationInWords(given: Calibration): string {
  const overdue =
    given.overdue > 0
      ? ` ${counted(given.overdue, "workload")} still ${given.overdue === 1 ? "waits" : "wait"}, later than told.`
      : "";
  if (given.started === 0) {
    return `Nothing that was told a time in the last day has started yet.${overdue}`;
  }
  const share = Math.round((given.inside / given.started) * 100);
  return `${share} % of ${counted(given.started, "workload")} that had to wait started when they were told.${overdue}`;
}

const waits: Record<string, string> = {
  "10m": "up to 10 min",
  "1h": "up to 1 h",
  "1d": "up to a day",
  longer: "longer",
};

export function waitedInWords(waited: string): string {
  return waits[waited] ?? waited;
}
