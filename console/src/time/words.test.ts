import { expect, test } from "vitest";
import { bytesInWords, gpuTimeInWords, milliInWords } from "../quantity/words";
import {
  clockInWords,
  durationInWords,
  exactTimes,
  exactUtc,
  momentInWords,
  relativeInWords,
} from "./words";

test.each([
  [0, "under 1 s"],
  [0.9, "under 1 s"],
  [1, "1 s"],
  [59.9, "59 s"],
  [65, "1 min 5 s"],
  [1800, "30 min"],
  [12_000, "3 h 20 min"],
  [7200, "2 h"],
  [190_000, "2 d 4 h"],
])("%s seconds are %s", (seconds, words) => {
  expect(durationInWords(seconds)).toBe(words);
});

test.each([
  [1_900, "now"],
  [-1_900, "now"],
  [2_000, "2 s ago"],
  [4_900, "4 s ago"],
  [40_000, "40 s ago"],
  [240_000, "4 min ago"],
  [-7_200_000, "in 2 h"],
  [200_000_000, "2 d ago"],
])("%s ms later it is %s", (laterMs, words) => {
  const at = "2026-03-01T09:30:12Z";
  expect(relativeInWords(at, Date.parse(at) + laterMs)).toBe(words);
});

test("exact times and quantities carry their unit", () => {
  expect(exactUtc("2026-03-01T10:30:12.345+01:00")).toBe("2026-03-01 09:30:12 UTC");
  expect(bytesInWords(80 * 2 ** 30)).toBe("80 GiB");
  expect(bytesInWords(1536)).toBe("1.5 KiB");
  expect(milliInWords(500)).toBe("0.5");
});

test.each([
  [0.4, "under 1 GPU-second"],
  [1, "1 GPU-second"],
  [14.2, "14 GPU-seconds"],
  [59.9, "59 GPU-seconds"],
  [60, "1 GPU-minute"],
  [3_599, "59 GPU-minutes"],
  [3_600, "1 GPU-hour"],
  [11_523, "3.2 GPU-hours"],
])("%s seconds of a GPU are %s", (seconds, words) => {
  expect(gpuTimeInWords(seconds)).toBe(words);
});

test("exact times are told in one's own zone and in UTC, once where that is the same", () => {
  const at = "2026-03-01T23:30:12Z";
  expect(exactTimes(at, "Europe/Berlin")).toMatch(
    /^2026-03-02 00:30:12 (CET|GMT\+1)\n2026-03-01 23:30:12 UTC$/,
  );
  expect(exactTimes(at, "UTC")).toBe("2026-03-01 23:30:12 UTC");
  expect(clockInWords(at, "Europe/Berlin")).toBe("00:30:12");
});

test.each([
  ["2026-03-01T23:30:00Z", "00:30"],
  ["2026-02-28T13:20:00Z", "28 Feb 14:20"],
  ["2025-02-28T13:20:00Z", "28 Feb 2025 14:20"],
])("%s is %s, seen on 2 March 2026 in Berlin", (at, words) => {
  expect(momentInWords(at, "Europe/Berlin", Date.parse("2026-03-02T09:00:00Z"))).toBe(words);
});
