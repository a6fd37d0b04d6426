/** What could still be placed on a GPU, or on a node, in words. Pure. */
import type { Device, Node } from "../api/types";
import { counted } from "../quantity/words";

/** The largest first, each standing for itself; empty where nothing more fits. */
export function roomOf(device: Device): string[] {
  if (!device.healthy) return [];
  if (device.mig) {
    return (device.room ?? [])
      .filter(({ count }) => count > 0)
      .map(({ count, profile }) => `${count}\u00a0×\u00a0${profile}`)
      .reverse();
  }
  const free = Math.max(0, 1000 - device.gpu_milli_used);
  if (free === 1000) return [device.mig_profile ? "the whole instance" : "the whole GPU"];
  return free > 0 && !device.mig_profile ? [`a share of up to ${Math.round(free / 10)} %`] : [];
}

/** "Still fits: 1 × 3g.40gb, or 4 × 1g.10gb" */
export function roomInWords(device: Device): string {
  const room = roomOf(device);
  return room.length > 0 ? `Still fits: ${room.join(", or ")}` : "Nothing more fits";
}

/** The largest that a node could still take of each sort, on one GPU. */
export function nodeRoomInWords({ devices, state, cpu_milli, cpu_milli_used }: Node): string {
  if (state !== "ready" || devices.length === 0) return "";
  const well = devices.filter(({ healthy }) => healthy);
  const whole = new Map<string, number>();
  for (const { type, mig, mig_profile, gpu_milli_used } of well) {
    if (!mig && gpu_milli_used === 0) {
      const name = mig_profile ? `${type} ${mig_profile}` : type;
      whole.set(name, (whole.get(name) ?? 0) + 1);
    }
  }
  const share = Math.max(
    0,
    ...well
      .filter(({ mig, mig_profile }) => !mig && !mig_profile)
      .map(({ gpu_milli_used }) => (gpu_milli_used > 0 ? 1000 - gpu_milli_used : 0)),
  );
  const fits = [
    ...[...whole].map(([name, count]) => counted(count, `whole ${name}`, `whole ${name}`)),
    ...largestSlices(well).map(([type, profile]) => `a ${profile} instance of an ${type}`),
    ...(share > 0 ? [`a share of up to ${Math.round(share / 10)} % of one GPU`] : []),
  ];
  if (fits.length === 0) return "No GPU here has room.";
  const words = fits.length > 1 ? `${fits.slice(0, -1).join(", ")} and ${fits.at(-1)}` : fits[0];
  const but = cpu_milli_used >= cpu_milli ? ", but no CPU is free" : "";
  return `Its GPUs still have room for ${words}${but}.`;
}

/** By type of GPU the largest profile that fits on one; profiles come the smallest first. */
function largestSlices(devices: readonly Device[]): [type: string, profile: string][] {
  const found = new Map<string, { profile: string; rank: number }>();
  for (const { type, mig, room = [] } of devices) {
    if (!mig) continue;
    const rank = room.findLastIndex(({ count }) => count > 0);
    const profile = room[rank]?.profile;
    if (profile && rank > (found.get(type)?.rank ?? -1)) found.set(type, { profile, rank });
  }
  return [...found].map(([type, { profile }]) => [type, profile]);
}
