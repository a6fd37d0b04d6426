/** Where the console shows what an entry was done to. Pure. */
import type { AuditEntry } from "../api/types";

export interface Thing {
  /** The route's path and what stands in it. */
  to: string;
  params: Record<string, string>;
  /** Whether its name is an id. */
  code?: boolean;
}

/** Null where there is no page for it, or nothing was done. */
export function thingOf({ subject, action, outcome, detail }: AuditEntry): Thing | null {
  if (/^w-[a-z0-9]{6,}$/.test(subject)) {
    return { to: "/workloads/$id", params: { id: subject }, code: true };
  }
  if (outcome === "refused" || subject === "") return null;
  const named = (to: string, name = subject): Thing => ({ to, params: { name } });
  const [resource] = action.split(":");
  switch (resource) {
    case "node":
      return named("/nodes/$name");
    case "layout":
      return subject.includes("/") ? named("/nodes/$name", subject.split("/")[0]) : null;
    case "quota":
      return { to: "/queue", params: {} };
    case "cycle":
    case "scheduler":
      return { to: "/scheduler", params: {} };
    case "user":
      return detail.group ? named("/access/groups/$name") : named("/access/people/$name");
    case "binding":
      return detail.subject_kind === "group"
        ? named("/access/groups/$name")
        : named("/access/people/$name");
    case "project":
      return detail.level === "team"
        ? named("/access/places/teams/$name")
        : named("/access/places/projects/$name");
    case "account":
      return named("/access/accounts/$name");
    case "role":
      return { to: "/access/roles", params: {} };
    default:
      return null;
  }
}
