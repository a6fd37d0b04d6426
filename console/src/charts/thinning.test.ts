import { expect, test } from "vitest";
import { type Frame, pathsOf } from "./paths";
import type { ChartPoint, ChartSeries } from "./series";
import { layersOf, layersThinned, thinned, within } from "./thinning";

const START = Date.parse("2026-03-01T09:00:00Z");
const frame: Frame = { from: START, to: START + 1_000, max: 10, width: 100, height: 50 };

function pointsOf(values: readonly (number | null)[], step = 1_000): ChartPoint[] {
  return values.map((value, at) => ({ at: START + at * step, value }));
}

function seriesOf(points: readonly ChartPoint[], id = "a"): ChartSeries {
  return { id, name: id, points };
}

/** The same numbers from 0 to 1 on every machine (xorshift). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function columnsOf<T extends { at: number }>(points: readonly T[], column: number): T[][] {
  const found = new Map<number, T[]>();
  for (const point of points) {
    const place = Math.floor(point.at / column);
    found.set(place, [...(found.get(place) ?? []), point]);
  }
  return [...found.values()];
}

const valued = (points: readonly ChartPoint[]) => points.filter(({ value }) => value !== null);
const valuesOf = (points: readonly ChartPoint[]) =>
  points.flatMap(({ value }) => (value === null ? [] : [value]));

test("what the pixels have room for stays as it is", () => {
  const points = pointsOf([3, null, 1, 2]);
  expect(thinned(points, 2_000)).toBe(points);
});

test("a peak between thousands of points stays, with its time", () => {
  const points = pointsOf(Array.from({ length: 10_000 }, (_, at) => (at === 7_003 ? 90 : 5)));
  const kept = thinned(points, 100_000);
  expect(kept.length).toBeLessThanOrEqual(2 * 101);
  expect(kept).toContainEqual({ at: START + 7_003_000, value: 90 });
});

test("a hole narrower than a pixel stays a hole", () => {
  const values = Array.from({ length: 60 }, (_, at) => (at === 29 ? null : at % 7));
  const kept = thinned(pointsOf(values), 20_000);
  const hole = kept.findIndex(({ value }) => value === null);
  expect(kept[hole - 1]?.at).toBeLessThan(START + 29_000);
  expect(kept[hole + 1]?.at).toBeGreaterThan(START + 29_000);
});

test("bands reach as far as any of their column", () => {
  const points = pointsOf([5, 4, 6, 5], 10).map((each, at) => ({
    ...each,
    low: 3 - at,
    high: 7 + at,
  }));
  expect(thinned(points, 1_000)).toEqual([
    { at: START + 10, value: 4, low: 0, high: 10 },
    { at: START + 20, value: 6, low: 0, high: 10 },
  ]);
});

test("a range that moves on thins what stays in it as it did", () => {
  const random = randomOf(5);
  const points = pointsOf(Array.from({ length: 3_000 }, random));
  const early = thinned(within(points, START, START + 2_000_000), 20_000);
  const late = thinned(within(points, START + 333_000, START + 2_333_000), 20_000);
  const inBoth = ({ at }: ChartPoint) => at > START + 360_000 && at < START + 1_980_000;
  expect(late.filter(inBoth)).toEqual(early.filter(inBoth));
});

test.each([1, 2, 3, 4, 5, 6])("random series keep what a reader would see (%i)", (seed) => {
  const random = randomOf(seed * 7_919);
  let at = START + random() * 500;
  const points: ChartPoint[] = Array.from({ length: 2_000 }, () => {
    at += 1 + random() * 40;
    return { at, value: random() < 0.08 ? null : Math.round(random() * 20) };
  });
  const column = 20 + random() * 400;
  const kept = thinned(points, column);

  const before = columnsOf(points, column);
  const after = new Map(
    columnsOf(kept, column).map((each) => [Math.floor((each[0]?.at ?? 0) / column), each]),
  );
  for (const all of before) {
    const left = after.get(Math.floor((all[0]?.at ?? 0) / column)) ?? [];
    expect(valued(left).length).toBeLessThanOrEqual(2);
    expect(Math.min(...valuesOf(left))).toBe(Math.min(...valuesOf(all)));
    expect(Math.max(...valuesOf(left))).toBe(Math.max(...valuesOf(all)));
  }
  const times = kept.map((each) => each.at);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  // Between two that stayed there is a hole if and only if there was one.
  const spans = valued(kept)
    .slice(1)
    .map((each, index) => [valued(kept)[index]?.at ?? 0, each.at] as const);
  const holed = (some: readonly ChartPoint[]) =>
    spans.map(([a, b]) => some.some((each) => each.value === null && each.at > a && each.at < b));
  expect(holed(kept)).toEqual(holed(points));
});

test.each([1, 2, 3])(
  "random stacks keep every layer's extremes, at the times of the whole (%i)",
  (seed) => {
    const random = randomOf(seed * 104_729);
    const layers = layersOf(
      [0, 1, 2].map(() =>
        pointsOf(Array.from({ length: 1_500 }, () => (random() < 0.05 ? null : random() * 9))),
      ),
    );
    const column = 2_000 + random() * 40_000;
    const kept = layersThinned(layers, column);
    layers.forEach((layer, index) => {
      const tops = (some: readonly { top: number | null }[]) =>
        some.flatMap(({ top }) => (top === null ? [] : [top]));
      const left = columnsOf(kept[index] ?? [], column);
      columnsOf(layer, column).forEach((all, place) => {
        const found = tops(left[place] ?? []);
        expect(found.length).toBeLessThanOrEqual(2);
        expect(Math.min(...found)).toBe(Math.min(...tops(all)));
        expect(Math.max(...found)).toBe(Math.max(...tops(all)));
        if (tops(all).length > 2) {
          expect((left[place] ?? []).some(({ top }) => top === null)).toBe(
            all.some(({ top }) => top === null),
          );
        }
      });
      for (const { bottom, top } of kept[index] ?? [])
        expect(top ?? bottom).toBeGreaterThanOrEqual(bottom);
    });
    const timesOf = (layer: readonly { at: number; top: number | null }[]) =>
      layer.flatMap(({ at, top }) => (top === null ? [] : [at]));
    const upmost = new Set(
      layersThinned(layers, column)
        .at(-1)
        ?.map(({ at }) => at),
    );
    for (const layer of kept) for (const time of timesOf(layer)) expect(upmost).toContain(time);
  },
);

test("a line breaks at a hole, and a value between two holes is a dot", () => {
  const [paths] = pathsOf([seriesOf(pointsOf([0, 10, null, 5, null], 200))], frame, false);
  expect(paths?.line).toBe("M0,50L20,0M60,25Z");
  expect(paths?.dots).toBe("M60,25Z");
  expect(paths?.area).toBe("M0,50L20,0L20,50L0,50ZM60,25L60,50Z");
});

test("a band is filled between the least and the most, and only a lone line has its area", () => {
  const points = [0, 1_000].map((at) => ({ at: START + at, value: 5, low: 2, high: 9 }));
  const [banded] = pathsOf([seriesOf(points), seriesOf(points, "b")], frame, false);
  expect(banded).toEqual({
    line: "M0,25L100,25",
    area: "",
    band: "M0,5L100,5L100,40L0,40Z",
    dots: "",
  });
});

test("areas stand on one another", () => {
  const [lower, upper] = pathsOf(
    [seriesOf(pointsOf([2, 4])), seriesOf(pointsOf([1, 1]), "b")],
    frame,
    true,
  );
  expect(lower?.area).toBe("M0,40L100,30L100,50L0,50Z");
  expect(upper?.area).toBe("M0,35L100,25L100,30L0,40Z");
  expect(upper?.line).toBe("M0,35L100,25");
});

test("a path has at most two points a pixel", () => {
  const random = randomOf(11);
  const points = pointsOf(
    Array.from({ length: 10_000 }, () => random() * 10),
    0.1,
  );
  const [paths] = pathsOf([seriesOf(points)], frame, false);
  expect(paths?.line.split(/[ML]/).length).toBeLessThanOrEqual(2 * (frame.width + 1) + 1);
  expect(pathsOf([seriesOf(points)], { ...frame, width: 0 }, false)).toEqual([
    { line: "", area: "", band: "", dots: "" },
  ]);
});
