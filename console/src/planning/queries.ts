/** Demand against what is guaranteed, and plans that are worked out meanwhile. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { CapacityPlan, DemandBy, DemandReport } from "../api/types";

const REREAD_MS = 60_000;
const PLAN_REREAD_MS = 1_000;
/** The most rows that tell their course over time. */
export const CURVES = 20;

export function useDemand(by: DemandBy, days: number) {
  const query = { by, days, curves: CURVES };
  return useQuery({
    queryKey: ["capacity", "demand", query],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/capacity/demand", { params: { query }, signal }),
      ) as Promise<DemandReport>,
    refetchInterval: REREAD_MS,
    placeholderData: keepPreviousData,
  });
}

function planKey(id: string) {
  return ["capacity", "plan", id];
}

export function usePlanMake() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: { days: number; gpu_types: string[]; target: number; most: number }) =>
      answered(api.POST("/api/v1/capacity/plans", { body })) as Promise<CapacityPlan>,
    onSuccess: (made) => queries.setQueryData(planKey(made.id), made),
  });
}

export function useCapacityPlan(id: string | undefined) {
  return useQuery({
    queryKey: planKey(id ?? ""),
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/capacity/plans/{plan_id}", {
          params: { path: { plan_id: id ?? "" } },
          signal,
        }),
      ),
    enabled: id !== undefined,
    refetchInterval: ({ state: { data } }) => (data?.state === "running" ? PLAN_REREAD_MS : false),
  });
}
