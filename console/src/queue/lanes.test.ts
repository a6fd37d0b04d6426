import { expect, test } from "vitest";
import { bookingInWords, laneOf, periodInWords, whenInWords } from "./lanes";
import { FROM, lineOf, namedOf, UNTIL } from "./queueDocuments";

const span = { from: Date.parse(FROM), until: Date.parse(UNTIL) };
const at = (hours: number) => new Date(span.from + hours * 3_600_000).toISOString();
const run = (name: string, gpu_milli: number, until: string | null, certain = true) => ({
  workload: namedOf(name),
  project: "vision",
  gpu_milli,
  from: at(-2),
  until,
  certain,
});

test("work stands side by side, and what is planned after what it waits for", () => {
  const { bars } = laneOf(
    lineOf({
      running: [run("a", 4000, at(6)), run("b", 4000, at(12))],
      planned: [{ workload: namedOf("c"), gpu_milli: 4000, from: at(6), until: at(24) }],
    }),
    span,
  );
  expect(
    bars.map(({ workload, left, width, top, height }) => [
      workload?.name,
      left,
      width,
      top,
      height,
    ]),
  ).toEqual([
    ["a", 0, 25, 0, 50],
    ["b", 0, 50, 50, 50],
    ["c", 25, 75, 0, 50],
  ]);
});

test("each end is what is known of it", () => {
  const { bars } = laneOf(
    lineOf({
      running: [
        run("limit", 1000, at(6)),
        run("guess", 1000, at(6), false),
        run("open", 1000, null, false),
        run("long", 1000, at(48)),
      ],
    }),
    span,
  );
  expect(Object.fromEntries(bars.map(({ workload, end }) => [workload?.name, end]))).toEqual({
    limit: "certain",
    guess: "expected",
    open: "open",
    long: "beyond",
  });
});

test("what is overdue, without GPUs or too much for the node can still be seen", () => {
  const { bars } = laneOf(
    lineOf({
      gpus: 2,
      running: [run("late", 2000, at(-1)), run("cpu", 0, null), run("over", 2000, null)],
    }),
    span,
  );
  for (const bar of bars) {
    expect(bar.width).toBeGreaterThan(0);
    expect(bar.height).toBeGreaterThan(0);
    expect(bar.top + bar.height).toBeLessThanOrEqual(100);
  }
});

test("what is planned beyond the line is not drawn, and an unknown start is at its end", () => {
  const { bars } = laneOf(
    lineOf({
      planned: [
        { workload: namedOf("later"), gpu_milli: 8000, from: at(30), until: null },
        { workload: namedOf("some-time"), gpu_milli: 8000, from: null, until: null },
      ],
    }),
    span,
  );
  expect(bars).toHaveLength(1);
  expect(bars[0]).toMatchObject({ workload: { name: "some-time" }, left: 84, width: 16 });
});

test("bookings are cut at the ends of the line", () => {
  const booked = (from: string, until: string) => ({
    name: "firmware",
    project: null,
    maintenance: true,
    from,
    until,
  });
  const { bookings } = laneOf(
    lineOf({ booked: [booked(at(-3), at(6)), booked(at(18), at(30)), booked(at(30), at(40))] }),
    span,
  );
  expect(bookings.map(({ left, width }) => [left, width])).toEqual([
    [0, 25],
    [75, 25],
  ]);
});

test("words say what is sure and what is not", () => {
  const moment = (iso: string) => iso.slice(11, 16);
  const when = (given: object) =>
    whenInWords({ kind: "running", from: at(0), until: at(6), certain: true, ...given }, moment);
  expect(when({})).toBe("until 16:00");
  expect(when({ certain: false })).toBe("until about 16:00");
  expect(when({ until: null })).toBe("end not known");
  expect(when({ kind: "planned" })).toBe("planned 10:00 – 16:00");
  expect(when({ kind: "planned", until: null })).toBe("planned from 10:00");
  expect(when({ kind: "planned", from: null })).toBe("planned, once there is room");
  expect(periodInWords("23 Nov 14:00", "23 Nov 16:00", (each) => each)).toBe(
    "23 Nov 14:00 – 16:00",
  );
  expect(periodInWords("14:00", "23 Nov 16:00", (each) => each)).toBe("14:00 – 23 Nov 16:00");
  expect(bookingInWords({ name: "demo", project: "vision", maintenance: false })).toBe(
    "Kept for vision: demo",
  );
  expect(bookingInWords({ name: null, project: null, maintenance: false })).toBe(
    "Booked for others",
  );
});
