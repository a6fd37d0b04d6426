/** Where values and times stand on a chart, and the marks at its axes. Pure. */
import type { Format } from "./series";

export interface ValueScale {
  max: number;
  ticks: number[];
}

const ROOM_ABOVE = 1.04;
const DECIMAL_STEPS = [1, 2, 2.5, 5, 10];
const BINARY_STEPS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** From zero to a round value above `peak`, in about `count` round steps. */
export function valueScale(peak: number, format: Format, count = 4): ValueScale {
  const { whole } = format;
  const isWhole = whole !== undefined && peak <= whole && peak * ROOM_ABOVE > whole * 0.75;
  const top = isWhole ? whole : peak > 0 ? peak * ROOM_ABOVE : 1;
  const step = roundStep(top / count, format.binary ?? false);
  const steps = Math.max(1, Math.ceil(top / step - 1e-9));
  return { max: steps * step, ticks: Array.from({ length: steps + 1 }, (_, at) => at * step) };
}

function roundStep(rough: number, binary: boolean): number {
  const base = binary ? 1024 : 10;
  const unit = base ** Math.floor(Math.log(rough) / Math.log(base) + 1e-12);
  const found = (binary ? BINARY_STEPS : DECIMAL_STEPS).find((each) => each * unit >= rough * 0.8);
  return (found ?? base) * unit;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const TIME_STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((each) => each * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((each) => each * MINUTE),
  ...[1, 2, 3, 6, 12].map((each) => each * HOUR),
  ...[1, 2, 7, 14, 28, 91, 182, 365].map((each) => each * DAY),
];

export interface TimeTick {
  at: number;
  text: string;
}

/** Round times of the reader's zone, at least `apart` pixels from one another. */
export function timeTicks(
  from: number,
  to: number,
  width: number,
  zone: string | undefined,
  apart = 88,
): TimeTick[] {
  if (!(to > from) || width <= 0) return [];
  const rough = ((to - from) * apart) / width;
  const step = TIME_STEPS.find((each) => each >= rough) ?? 365 * DAY;
  const offset = zoneOffset(from, zone);
  const ticks: TimeTick[] = [];
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to; at += step) {
    ticks.push({ at, text: tickText(at, step, zone) });
  }
  return ticks;
}

function tickText(at: number, step: number, zone: string | undefined): string {
  const time = partsOf(at, zone);
  if (step >= DAY || (time.hour === "00" && time.minute === "00" && time.second === "00")) {
    return `${Number(time.day)} ${time.month}`;
  }
  return `${time.hour}:${time.minute}${step < MINUTE ? `:${time.second}` : ""}`;
}

/** 22 Nov 14:20:05 */
export function timeExact(at: number, zone: string | undefined): string {
  const { day, month, hour, minute, second } = partsOf(at, zone);
  return `${Number(day)} ${month} ${hour}:${minute}:${second}`;
}

/** 22 Nov 14:20 */
export function timeShort(at: number, zone: string | undefined): string {
  return timeExact(at, zone).slice(0, -3);
}

const writers = new Map<string, Intl.DateTimeFormat>();

function partsOf(at: number, zone: string | undefined): Record<string, string> {
  const key = zone ?? "";
  let writer = writers.get(key);
  if (!writer) {
    writer = new Intl.DateTimeFormat("en-GB", {
      ...(zone && { timeZone: zone }),
      year: "numeric",
      month: "short",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    });
    writers.set(key, writer);
  }
  return Object.fromEntries(writer.formatToParts(at).map(({ type, value }) => [type, value]));
}

const MONTHS = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sept",
  "Oct",
  "Nov",
  "Dec",
];

/** How far the zone's clocks are ahead of UTC at `at`, in milliseconds. */
export function zoneOffset(at: number, zone: string | undefined): number {
  const { year, month, day, hour, minute, second } = partsOf(at, zone);
  const found = MONTHS.findIndex((each) => each.slice(0, 3) === month?.slice(0, 3));
  const told = [Number(year), found, Number(day), Number(hour), Number(minute), Number(second)];
  return Date.UTC(...(told as [number, number, number, number, number, number])) - wholeSecond(at);
}

function wholeSecond(at: number): number {
  return Math.floor(at / SECOND) * SECOND;
}
