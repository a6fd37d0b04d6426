/** Places, people and what may be done, in words. */
import type { AccessPath, Level, Person, SubjectKind } from "../api/types";

/** "the whole organisation", "team research", "project vision" */
export function placeInWords(level: Level, target: string): string {
  return level === "organisation" ? "the whole organisation" : `${level} ${target}`;
}

export function levelInWords(level: Level): string {
  return { organisation: "Whole organisation", team: "Team", project: "Project" }[level];
}

/** "by name", "through group ml" */
export function throughInWords({ group }: AccessPath): string {
  return group ? `through group ${group}` : "by name";
}

export function kindInWords(kind: SubjectKind): string {
  return kind === "group" ? "Group" : "Person or account";
}

/** Who keeps a record: nothing for Podium itself. */
export function sourceInWords(source: Person["source"]): string {
  if (source === "local") return "";
  return source === "scim" ? "Kept by your directory" : "Signs in by single sign-on";
}

/** "workload" → "Workloads"; the heading over the actions of a resource. */
export function resourceInWords(resource: string): string {
  const words = resource.charAt(0).toUpperCase() + resource.slice(1);
  const uncounted = ["usage", "audit", "directory", "scheduler"];
  if (uncounted.includes(resource)) return words;
  return words.endsWith("y") ? `${words.slice(0, -1)}ies` : `${words}s`;
}
