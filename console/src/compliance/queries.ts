/** The compliance report; verifying the trail takes time, so it is made when somebody asks. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { Classification, ComplianceReport } from "../api/types";

export interface ReportAsked {
  since?: string;
  until?: string;
  class?: Classification;
  project?: string;
  verify: boolean;
}

const REREAD_MS = 60_000;
const ITEMS = 200;

export function useCompliance(asked: ReportAsked) {
  return useQuery({
    queryKey: ["compliance", asked],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/compliance", { params: { query: { ...asked, limit: ITEMS } }, signal }),
      ) as Promise<ComplianceReport>,
    refetchInterval: REREAD_MS,
    placeholderData: keepPreviousData,
  });
}
