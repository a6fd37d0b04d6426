import { describe, expect, test } from "vitest";
import { isDashed, placeOf, seriesColours } from "./colours";
import { formats } from "./formats";
import { rangeOf, rangeRead, rangeWrite } from "./range";
import { readingsAt, snapped } from "./reading";
import { timeExact, timeTicks, valueScale, zoneOffset } from "./scale";
import { aligned, extremesOf, gapped, peakOf, pointNear } from "./series";

const MINUTE = 60_000;
const START = Date.parse("2026-03-01T09:00:00Z");

function pointsOf(...values: (number | null)[]) {
  return values.map((value, at) => ({ at: START + at * MINUTE, value }));
}

describe("points", () => {
  test("have a hole where some are missing", () => {
    const points = pointsOf(1, 2, 3, 4, 5, 6).toSpliced(3, 2);
    expect(gapped(points).map(({ value }) => value)).toEqual([1, 2, 3, null, 6]);
    const whole = pointsOf(1, 2, 3);
    expect(gapped(whole)).toBe(whole);
  });

  test("are found by time, and none is made up where there is none", () => {
    const points = pointsOf(1, 2, 3);
    expect(pointNear(points, START + 1.4 * MINUTE, MINUTE)?.value).toBe(2);
    expect(pointNear(points, START - 5 * MINUTE, MINUTE)).toBeNull();
    expect(pointNear([], START, MINUTE)).toBeNull();
  });

  test("tell their extremes with the band around them", () => {
    const points = [{ at: 1, value: 5, low: 2, high: 9 }, ...pointsOf(null)];
    expect(extremesOf(points)).toMatchObject({ least: 2, most: 9, latest: { value: 5 } });
    expect(extremesOf(pointsOf(null, null))).toBeNull();
  });

  test("of stacked series stand at the same times and add up", () => {
    const series = aligned([
      { id: "a", name: "a", points: pointsOf(1, 2) },
      { id: "b", name: "b", points: pointsOf(4) },
    ]);
    expect(series[1]?.points.map(({ value }) => value)).toEqual([4, null]);
    expect(peakOf(series, true)).toBe(5);
    expect(peakOf(series, false)).toBe(4);
  });
});

describe("scales", () => {
  test.each([
    [0, 1],
    [3.2, 4],
    [8, 10],
    [97, 125],
    [1_000, 1_250],
  ])("reach from zero to a round value above %s", (peak, max) => {
    expect(valueScale(peak, formats.gpus).max).toBe(max);
  });

  test("of bytes have round binary steps", () => {
    const { ticks } = valueScale(70 * 2 ** 30, formats.bytes);
    expect(ticks.map(formats.bytes)).toEqual([
      "0 B",
      "16 GiB",
      "32 GiB",
      "48 GiB",
      "64 GiB",
      "80 GiB",
    ]);
  });

  test("mark round times of the reader's zone, and days by their date", () => {
    const ticks = timeTicks(START, START + 6 * 60 * MINUTE, 600, "Asia/Kolkata");
    expect(ticks.map(({ text }) => text)).toEqual([
      "15:00",
      "16:00",
      "17:00",
      "18:00",
      "19:00",
      "20:00",
    ]);
    const days = timeTicks(START, START + 24 * 60 * MINUTE, 500, "UTC");
    expect(days.map(({ text }) => text)).toContain("2 Mar");
    expect(timeTicks(START, START, 600, "UTC")).toEqual([]);
  });

  test("know how far a zone is ahead", () => {
    expect(zoneOffset(START, "Asia/Kolkata")).toBe(330 * MINUTE);
    expect(zoneOffset(START + 500, "America/New_York")).toBe(-300 * MINUTE);
    expect(timeExact(START, "UTC")).toBe("1 Mar 09:00:00");
  });
});

describe("colours", () => {
  test("follow the name, not the order of arrival, and number ranks as people do", () => {
    expect(placeOf("vision", ["vision", "speech"])).toBe(placeOf("vision", ["speech", "vision"]));
    expect(placeOf("rank 10", ["rank 10", "rank 2", "rank 1"])).toBe(2);
    expect(isDashed(7)).toBe(false);
    expect(isDashed(8)).toBe(true);
  });

  test.each([
    ["light", "#ffffff"],
    ["dark", "#15181c"],
  ] as const)("can be seen on the %s scheme's ground", (scheme, ground) => {
    for (const shades of seriesColours) {
      expect(contrast(shades[scheme], ground), shades[scheme]).toBeGreaterThanOrEqual(3);
    }
  });
});

describe("ranges", () => {
  test("are read from the address, and what it says wrongly is left out", () => {
    expect(rangeRead({ range: "6h" })).toEqual({ range: "6h" });
    expect(rangeRead({ range: "9h" })).toEqual({});
    expect(rangeRead({ from: "2026-03-02T00:00:00Z", to: "2026-03-01T00:00:00Z" })).toEqual({});
    const drawn = rangeWrite(START + 400, START + 61_000);
    expect(drawn).toEqual({ from: "2026-03-01T09:00:00Z", to: "2026-03-01T09:01:01Z" });
    expect(rangeRead(drawn)).toEqual(drawn);
  });

  test("end now unless they were drawn, and all begins with what there is", () => {
    expect(rangeOf({ range: "1h" }, START)).toEqual({
      from: START - 60 * MINUTE,
      to: START,
      live: true,
    });
    expect(rangeOf({ range: "all" }, START, { earliest: 7 }).from).toBe(7);
    expect(rangeOf(rangeWrite(START, START + MINUTE), START).live).toBe(false);
  });
});

describe("readings", () => {
  const drawn = { colour: "#000", dashed: false, dimmed: false };
  const series = [
    { ...drawn, id: "a", name: "a", points: pointsOf(1, 2, 3) },
    { ...drawn, id: "b", name: "b", points: pointsOf(5, null, 1) },
  ];

  test("snap to a time that was measured, highest first, gaps left out", () => {
    const at = snapped(series, START + 0.2 * MINUTE);
    expect(at).toBe(START);
    expect(readingsAt(series, START, false).map(({ series: { id } }) => id)).toEqual(["b", "a"]);
    expect(readingsAt(series, START + MINUTE, false)).toHaveLength(1);
  });
});

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}
