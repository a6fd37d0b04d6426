/** What a workload asks for, of all its replicas together. Pure. */
import type { Workload } from "../api/types";

type Asking = Pick<Workload, "resources" | "replicas" | "groups">;

/** 4 × (2 × H100 · 4 CPU); of unlike groups, each of them. */
export function askedInWords(workload: Asking): string {
  const { resources, replicas } = workload;
  if (replicas.total === 1 || isGrouped(workload)) return resources.text;
  return `${replicas.total.toLocaleString("en")} × (${resources.text})`;
}

export function isGrouped({ groups }: Pick<Workload, "groups">): boolean {
  return (groups?.length ?? 0) > 0;
}
