/** Which instances fit beside each other, by the geometry that the server tells. The server checks
 * again; this only says at once what cannot be. */
import type { components } from "../api/schema";

type Documents = components["schemas"];
export type Layout = Documents["LayoutView"];
export type LayoutPlan = Documents["LayoutPlanView"];
export type LayoutStep = Documents["LayoutStepView"];
export type Profile = Documents["ProfileView"];
export type Instance = Documents["InstanceView"];

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

/** As the server reads it. */
export function layoutText(placed: readonly Instance[]): string {
  return placed.map(({ profile, start }) => `${profile}@${start}`).join(",") || "none";
}
