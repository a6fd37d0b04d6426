/** What the pages of this room keep in the address: texts, of which an empty one takes a part away. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

const names = [
  "form",
  "name",
  "by",
  "per",
  "since",
  "until",
  "month",
  "team",
  "user",
  "cost_centre",
  "of_kind",
  "gpu_type",
  "key",
  "of_label",
  "measure",
  "days",
  "plan",
  "row",
  "class",
  "unverified",
  "turned",
] as const;

export type GovernanceSearch = { [name in (typeof names)[number]]?: string };

export function governanceSearchRead(search: Record<string, unknown>): GovernanceSearch {
  const found: GovernanceSearch = {};
  for (const name of names) {
    const value = search[name];
    if (typeof value === "string" && value !== "") found[name] = value;
  }
  return found;
}

/** The search of the page, and a way to change parts of it. */
export function useGovernanceSearch(): [
  GovernanceSearch,
  (change: GovernanceSearch & { project?: string }) => void,
] {
  const search = governanceSearchRead(useSearch({ strict: false }));
  const navigate = useNavigate();
  const change = useCallback(
    ({ project, ...next }: GovernanceSearch & { project?: string }) =>
      void navigate({
        to: ".",
        search: ((before: Record<string, unknown>) => {
          const held = project === undefined ? before.project : project ? [project] : undefined;
          return { ...governanceSearchRead({ ...before, ...next }), project: held };
        }) as never,
      }),
    [navigate],
  );
  return [search, change];
}
