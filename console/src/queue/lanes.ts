/** Where each piece of work stands on the time line of its node: across by time, down by GPUs.
 * Pure. */
import { milliInWords } from "../quantity/words";
import type { Named, TimelineNode } from "./plan";

export type End =
  /** Its limit ends it. */
  | "certain"
  /** Expected from past runs. */
  | "expected"
  /** Nobody can tell. */
  | "open"
  /** It goes on past the right side. */
  | "beyond";

export interface Bar {
  key: string;
  kind: "running" | "planned";
  workload: Named | null;
  project: string | null;
  gpu_milli: number;
  from: string | null;
  until: string | null;
  certain: boolean;
  /** All in percent of the lane. */
  left: number;
  width: number;
  top: number;
  height: number;
  end: End;
}

export interface Booking {
  key: string;
  name: string | null;
  project: string | null;
  maintenance: boolean;
  from: string;
  until: string;
  left: number;
  width: number;
}

export interface Lane {
  node: TimelineNode;
  bars: Bar[];
  bookings: Booking[];
}

export interface Span {
  from: number;
  until: number;
}

/** Work without GPUs has to be seen, too. */
const LEAST_HEIGHT = 6;
const LEAST_WIDTH = 0.4;
/** How much of the lane is given to what is planned for a time that nobody knows. */
const UNKNOWN_PERCENT = 16;

export function laneOf(node: TimelineNode, span: Span): Lane {
  const { from, until } = span;
  const place = (ms: number) => Math.min(100, Math.max(0, ((ms - from) / (until - from)) * 100));
  const whole = Math.max(node.gpus * 1000, 1);
  const high = (milli: number) => Math.min(100, Math.max(LEAST_HEIGHT, (milli / whole) * 100));
  const bars: Bar[] = [];
  const stand = (
    bar: Omit<Bar, "left" | "width" | "top" | "height">,
    start: number,
    stop: number,
  ) => {
    const left = Math.min(start, 100 - LEAST_WIDTH);
    const width = Math.max(LEAST_WIDTH, stop - left);
    const height = high(bar.gpu_milli);
    bars.push({ ...bar, left, width, height, top: topOf(bars, left, left + width, height) });
  };
  for (const [at, each] of node.running.entries()) {
    const end = each.until === null ? null : Date.parse(each.until);
    stand(
      {
        ...each,
        key: `${node.name} running ${each.workload?.id ?? "other"} ${at}`,
        kind: "running",
        end: end === null ? "open" : end > until ? "beyond" : each.certain ? "certain" : "expected",
      },
      place(Date.parse(each.from)),
      // What runs on past its expected end is not over.
      end === null ? 100 : Math.max(place(end), 1),
    );
  }
  for (const [at, each] of node.planned.entries()) {
    const begin = each.from === null ? null : Date.parse(each.from);
    if (begin !== null && begin > until) continue;
    const end = each.until === null ? null : Date.parse(each.until);
    stand(
      {
        ...each,
        key: `${node.name} planned ${each.workload?.id ?? "other"} ${at}`,
        kind: "planned",
        project: each.workload?.project ?? null,
        certain: false,
        end: end === null ? "open" : end > until ? "beyond" : "expected",
      },
      begin === null ? 100 - UNKNOWN_PERCENT : place(begin),
      end === null || begin === null ? 100 : place(end),
    );
  }
  const bookings = node.booked
    .filter((each) => Date.parse(each.until) > from && Date.parse(each.from) < until)
    .map((each, at) => {
      const left = place(Date.parse(each.from));
      return {
        ...each,
        key: `${node.name} booked ${each.name} ${at}`,
        left,
        width: Math.max(LEAST_WIDTH, place(Date.parse(each.until)) - left),
      };
    });
  return { node, bars: bars.sort((a, b) => a.left - b.left || a.top - b.top), bookings };
}

/** The highest free place beside all that stands there at the same time; the lowest one where
 * what is planned needs more than is known to become free. */
function topOf(bars: readonly Bar[], left: number, right: number, height: number): number {
  const beside = bars.filter(
    (bar) => bar.left < right - 1e-6 && bar.left + bar.width > left + 1e-6,
  );
  const tops = [0, ...beside.map((bar) => bar.top + bar.height)].sort((a, b) => a - b);
  const free = tops.find(
    (top) =>
      top + height <= 100 + 1e-6 &&
      beside.every((bar) => bar.top + bar.height <= top + 1e-6 || bar.top >= top + height - 1e-6),
  );
  return free ?? Math.max(0, 100 - height);
}

export function gpusInWords(milli: number): string {
  if (milli === 0) return "no GPU";
  return `${milliInWords(milli)} ${milli === 1000 ? "GPU" : "GPUs"}`;
}

/** "train of vision" as far as one may see it. */
export function whoInWords({ workload, project }: Pick<Bar, "workload" | "project">): string {
  if (workload) return workload.name;
  return project ? `Work of ${project}` : "Work of others";
}

/** What becomes of it and when; `moment` says a time. */
export function whenInWords(
  bar: Pick<Bar, "kind" | "from" | "until" | "certain">,
  moment: (iso: string) => string,
): string {
  const { from, until, certain } = bar;
  if (bar.kind === "running") {
    if (until === null) return "end not known";
    return certain ? `until ${moment(until)}` : `until about ${moment(until)}`;
  }
  if (from === null) return "planned, once there is room";
  return until === null
    ? `planned from ${moment(from)}`
    : `planned ${periodInWords(from, until, moment)}`;
}

/** "23 Nov 14:00 – 16:00": the day once, where it is the same. */
export function periodInWords(
  from: string,
  until: string,
  moment: (iso: string) => string,
): string {
  const [begin, end] = [moment(from), moment(until)];
  const day = begin.slice(0, -"14:00".length);
  return `${begin} – ${end.startsWith(day) && end.length === begin.length ? end.slice(day.length) : end}`;
}

/** "Maintenance: firmware", "Kept for vision: demo", "Booked for others" */
export function bookingInWords(booking: Pick<Booking, "name" | "project" | "maintenance">): string {
  const { name, project, maintenance } = booking;
  const what = maintenance ? "Maintenance" : project ? `Kept for ${project}` : "Booked for others";
  return name ? `${what}: ${name}` : what;
}

export function freeInWords({ gpus, free_milli, state }: TimelineNode): string {
  if (state !== "ready") return state;
  if (gpus === 0) return "no GPUs";
  return `${milliInWords(free_milli)} of ${gpus} free`;
}
