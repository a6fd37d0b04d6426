/** Figures that the overview adds up from what the server tells. Pure. */
import type { Overview } from "../api/types";

type GpuType = Overview["gpus"][number];

export interface GpuSums {
  devices: number;
  unhealthy: number;
  heldMilli: number;
  /** null where nothing measures. */
  busyMilli: number | null;
  idleDevices: number;
  freeMilli: number;
}

export function gpuSums(types: readonly GpuType[]): GpuSums {
  const measured = types.filter(({ busy_milli }) => busy_milli !== null);
  const sum = (read: (type: GpuType) => number) => types.reduce((all, type) => all + read(type), 0);
  return {
    devices: sum(({ devices }) => devices),
    unhealthy: sum(({ unhealthy }) => unhealthy),
    heldMilli: sum(({ held_milli }) => held_milli),
    busyMilli: measured.length
      ? measured.reduce((all, { busy_milli }) => all + (busy_milli ?? 0), 0)
      : null,
    idleDevices: sum(({ idle_devices }) => idle_devices),
    freeMilli: sum(freeMilli),
  };
}

/** What could be given out now: devices that take no work are not free. */
export function freeMilli({ devices, unhealthy, held_milli }: GpuType): number {
  return Math.max(0, (devices - unhealthy) * 1000 - held_milli);
}

/** Real ones before virtual ones, larger groups first. */
export function typesInOrder(types: readonly GpuType[]): GpuType[] {
  return [...types].sort(
    (a, b) =>
      Number(a.virtual) - Number(b.virtual) || b.devices - a.devices || (a.type < b.type ? -1 : 1),
  );
}

export interface Delta {
  gpuSeconds: number;
  /** Of what it was; null where it was nothing. */
  percent: number | null;
}

export function deltaOf({ gpu_hours: hours }: Pick<Overview, "gpu_hours">): Delta {
  const before = hours.yesterday_so_far_gpu_seconds;
  const gpuSeconds = hours.today_gpu_seconds - before;
  return { gpuSeconds, percent: before > 0 ? Math.round((gpuSeconds / before) * 100) : null };
}

export function percentOf(part: number, whole: number): number {
  return whole > 0 ? Math.round((part / whole) * 100) : 0;
}

export function workloadsTotal({ workloads }: Pick<Overview, "workloads">): number {
  return Object.values(workloads).reduce((sum, count) => sum + count, 0);
}

export function exactGpus(milli: number): string {
  return (milli / 1000).toLocaleString("en", { maximumFractionDigits: 3 });
}
