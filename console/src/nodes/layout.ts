/** Which instances fit beside each other, by the geometry that the server tells. The server checks
 * again; this only says at once what cannot be. */
import type { components } from "../api/schema";

type Documents = components["schemas"];
export type Layout = Documents["LayoutView"];
export type LayoutPlan = Documents["LayoutPlanView"];
export type LayoutStep = Documents["LayoutStepView"];
export type Profile = Documents["ProfileView"];
export type Instance = Documents["InstanceView"];

/** Memory slices beside each other. */
export interface Run {
  start: number;
  size: number;
}

/** Why an instance cannot be added there; null where it can. */
export function objection(
  profiles: readonly Profile[],
  placed: readonly Instance[],
  profile: Profile,
  start: number,
): string | null {
  const end = start + profile.memory_slices;
  const other = placed.find((each) => each.start < end && start < each.start + each.size);
  if (other) return `${other.profile} at slice ${other.start} is there`;
  const same = placed.filter((each) => each.profile === profile.name).length;
  if (same >= profile.max_instances) return `there can be ${profile.max_instances} at most`;
  const media = new Set(profiles.filter((each) => each.media).map((each) => each.name));
  if (profile.media && placed.some((each) => media.has(each.profile)))
    return "only one instance can have the media engines";
  return null;
}

/** In the order of starts. */
export function added(placed: readonly Instance[], profile: Profile, start: number): Instance[] {
  return [...placed, { profile: profile.name, start, size: profile.memory_slices }].sort(
    (a, b) => a.start - b.start,
  );
}

/** Where an instance that stands at `start` could stand instead, the nearest on one side of it. */
export function nextStart(
  profiles: readonly Profile[],
  others: readonly Instance[],
  profile: Profile,
  start: number,
  side: 1 | -1,
): number | null {
  const beyond = profile.starts.filter(
    (each) => (each - start) * side > 0 && objection(profiles, others, profile, each) === null,
  );
  return beyond.length > 0 ? (side > 0 ? Math.min(...beyond) : Math.max(...beyond)) : null;
}

/** The start of the profile that is nearest to a place in slices; null where all are too far. */
export function startNear({ starts, memory_slices }: Profile, place: number): number | null {
  let best: number | null = null;
  for (const start of starts) {
    if (best === null || Math.abs(start - place) < Math.abs(best - place)) best = start;
  }
  const reach = Math.max(1, memory_slices / 2);
  return best !== null && Math.abs(best - place) <= reach ? best : null;
}

/** What is free of so many slices, in the order of starts. */
export function runsFree(total: number, taken: readonly Run[]): Run[] {
  const found: Run[] = [];
  let at = 0;
  for (const { start, size } of [...taken, { start: total, size: 0 }]) {
    if (start > at) found.push({ start: at, size: start - at });
    at = Math.max(at, start + size);
  }
  return found;
}

/** As the server reads it. */
export function layoutText(placed: readonly Instance[]): string {
  return placed.map(({ profile, start }) => `${profile}@${start}`).join(",") || "none";
}
