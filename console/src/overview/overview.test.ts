import { describe, expect, test } from "vitest";
import type { Capacity, WorkloadPage } from "../api/types";
import { eventOf, overviewOf, workloadOf } from "../testing/documents";
import { capacityGrown, capacitySeries } from "./capacity";
import { mineChanged, mineShown } from "./mine";
import { deltaOf, freeMilli, gpuSums, typesInOrder } from "./sums";

const START = Date.parse("2026-03-01T09:00:00Z");
const MINUTE = 60_000;

function gpusOf(given: Partial<ReturnType<typeof overviewOf>["gpus"][number]> = {}) {
  return {
    type: "H100",
    virtual: false,
    devices: 8,
    unhealthy: 0,
    held_milli: 5500,
    busy_milli: 3000,
    idle_devices: 1,
    ...given,
  };
}

describe("GPUs", () => {
  test("add up, and what takes no work is not free", () => {
    const types = [gpusOf({ unhealthy: 1 }), gpusOf({ type: "A100", busy_milli: null })];
    expect(gpuSums(types)).toMatchObject({
      devices: 16,
      heldMilli: 11_000,
      busyMilli: 3000,
      freeMilli: 4000,
    });
    expect(freeMilli(gpusOf({ unhealthy: 8 }))).toBe(0);
    expect(gpuSums([gpusOf({ busy_milli: null })]).busyMilli).toBeNull();
  });

  test("stand with the real ones and the many first", () => {
    const types = [
      gpusOf({ type: "T4", virtual: true, devices: 99 }),
      gpusOf({ type: "A100" }),
      gpusOf({ devices: 16 }),
    ];
    expect(typesInOrder(types).map(({ type }) => type)).toEqual(["H100", "A100", "T4"]);
  });
});

test("GPU time is compared with yesterday at this time, not with all of it", () => {
  const hours = { today_gpu_seconds: 7200, yesterday_gpu_seconds: 90_000, hours: [] };
  expect(deltaOf({ gpu_hours: { ...hours, yesterday_so_far_gpu_seconds: 3600 } })).toEqual({
    gpuSeconds: 3600,
    percent: 100,
  });
  expect(deltaOf({ gpu_hours: { ...hours, yesterday_so_far_gpu_seconds: 0 } }).percent).toBeNull();
});

describe("capacity", () => {
  const pointOf = (minute: number, busy: number | null = 2000): Capacity["points"][number] => ({
    at: new Date(START + minute * MINUTE).toISOString(),
    devices_milli: 8000,
    held_milli: 6000,
    busy_milli: busy,
    wanted_milli: 0,
  });
  const newsAt = (minute: number) =>
    overviewOf({ at: new Date(START + minute * MINUTE).toISOString(), gpus: [gpusOf()] });

  test("grows by the live feed at its own pace", () => {
    let capacity: Capacity = { points: [pointOf(0), pointOf(5)] };
    for (const minute of [5.1, 6, 9, 9.9]) capacity = capacityGrown(capacity, newsAt(minute));
    expect(capacity.points).toHaveLength(3);
    expect(capacity.points.at(-1)).toMatchObject({ held_milli: 5500, devices_milli: 8000 });
    capacity = capacityGrown(capacity, newsAt(14.95));
    expect(capacity.points).toHaveLength(4);
    expect(capacityGrown(capacity, newsAt(3))).toBe(capacity);
  });

  test("that ends with a time that is not over yet, is told what is so now", () => {
    const { points } = capacityGrown({ points: [pointOf(0), pointOf(5)] }, newsAt(3));
    expect(points).toHaveLength(2);
    expect(points[1]).toMatchObject({ at: "2026-03-01T09:03:00.000Z", held_milli: 5500 });
    expect(capacityGrown({ points: [pointOf(5)] }, newsAt(3)).points).toHaveLength(1);
  });

  test("parts busy from held, and says where nothing measured", () => {
    const all = capacitySeries([pointOf(0), pointOf(5, null)]);
    const valuesOf = (id: string) =>
      all.find((each) => each.id === id)?.points.map(({ value }) => value);
    expect(all.map(({ id }) => id)).toEqual(["busy", "idle", "held", "free"]);
    expect(valuesOf("busy")).toEqual([2, null]);
    expect(valuesOf("idle")).toEqual([4, null]);
    expect(valuesOf("held")).toEqual([null, 6]);
    expect(valuesOf("free")).toEqual([2, 2]);
    expect(capacitySeries([pointOf(0)]).map(({ id }) => id)).toEqual(["busy", "idle", "free"]);
  });
});

describe("one's own work", () => {
  const page: WorkloadPage = {
    items: [workloadOf({ id: "a" }), workloadOf({ id: "b", state: "queued" })],
    next_cursor: null,
    total: 2,
  };

  test("follows the changes: what ends leaves, what is new comes in, what is old is left out", () => {
    const next = mineChanged(page, [
      { event: eventOf(), workload: workloadOf({ id: "a", state: "succeeded", version: 2 }) },
      { event: eventOf(), workload: workloadOf({ id: "b", state: "running", version: 1 }) },
      { event: eventOf(), workload: workloadOf({ id: "c", state: "queued" }) },
      { event: eventOf(), workload: workloadOf({ id: "d", state: "failed" }) },
    ]);
    expect(next.items.map(({ id, state }) => `${id} ${state}`)).toEqual(["c queued", "b queued"]);
    expect(next.total).toBe(2);
  });

  test("shows what waits first, and leaves room for what runs", () => {
    const items = [
      ...["w1", "w2", "w3", "w4", "w5"].map((id) => workloadOf({ id, state: "queued" })),
      ...["r1", "r2", "r3"].map((id) => workloadOf({ id })),
    ];
    const states = (room: number) => mineShown(items, room).map(({ state }) => state);
    expect(states(4)).toEqual(["queued", "queued", "running", "running"]);
    expect(mineShown(items.slice(5), 4)).toHaveLength(3);
    expect(mineShown(items.slice(0, 5), 4)).toHaveLength(4);
  });
});
