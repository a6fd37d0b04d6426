/** Reports of usage and statements, read again while time goes on. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { Statements, UsageDimension, UsageReport } from "../api/types";
import type { Days } from "./ask";

const REREAD_MS = 30_000;
const ROWS = 5000;

interface Asked extends Days {
  by: UsageDimension;
  per: "day" | "month" | "total";
  chosen: Record<string, string[]>;
  /** With `by` label, of which key. */
  labelKey?: string;
}

export function useUsage({ by, per, since, until, chosen, labelKey }: Asked, enabled = true) {
  const query = {
    ...chosen,
    by,
    ...(labelKey && { by_label: labelKey }),
    per,
    since,
    until,
    limit: ROWS,
  };
  return useQuery({
    queryKey: ["usage", query],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/usage/report", { params: { query }, signal }),
      ) as Promise<UsageReport>,
    refetchInterval: REREAD_MS,
    placeholderData: keepPreviousData,
    enabled,
  });
}

export function useStatements(by: UsageDimension, month: string, project: string | undefined) {
  const query = { by, month, ...(project && { project: [project] }) };
  return useQuery({
    queryKey: ["usage", "statements", query],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/cost", { params: { query }, signal })) as Promise<Statements>,
    refetchInterval: REREAD_MS,
    placeholderData: keepPreviousData,
  });
}
