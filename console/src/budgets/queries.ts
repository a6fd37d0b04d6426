/** Budgets as the server knows them, and changes of them. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { BudgetRequest } from "../api/types";

const budgetsKey = ["budgets"];
/** What runs spends all the time, and nothing tells of it. */
const REREAD_MS = 15_000;

export function useBudgets() {
  return useQuery({
    queryKey: budgetsKey,
    queryFn: async ({ signal }) => (await answered(api.GET("/api/v1/budgets", { signal }))).items,
    refetchInterval: REREAD_MS,
  });
}

export function useBudgetSet() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, ...body }: BudgetRequest & { name: string }) =>
      answered(api.PUT("/api/v1/budgets/{name}", { params: { path: { name } }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: budgetsKey }),
  });
}

export function useBudgetRemove(name: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (_: undefined) =>
      answered(api.DELETE("/api/v1/budgets/{name}", { params: { path: { name } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: budgetsKey }),
  });
}

/** All prices; the currency of one is that of all. */
export function usePrices() {
  return useQuery({
    queryKey: ["prices"],
    queryFn: async ({ signal }) => (await answered(api.GET("/api/v1/prices", { signal }))).items,
    staleTime: 60_000,
  });
}
