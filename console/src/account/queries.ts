/** One's own tokens. Their secrets are told once, when they are made. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { TokenWish } from "./TokenForm";

const tokensKey = ["tokens"] as const;

export function useTokens() {
  return useQuery({
    queryKey: tokensKey,
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/tokens", { params: { query: { limit: 500 } }, signal })),
  });
}

export function useTokenCreate() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: TokenWish) => answered(api.POST("/api/v1/tokens", { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: tokensKey }),
  });
}

export function useTokenRevoke() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      answered(api.DELETE("/api/v1/tokens/{token_id}", { params: { path: { token_id: id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: tokensKey }),
  });
}
