/** Service accounts: who programs are, and their tokens. */
import { useQuery } from "@tanstack/react-query";
import type { TokenWish } from "../../account/TokenForm";
import { answered, api } from "../../api/client";
import { accessKey, pageQuery, useChange, usePages } from "../pages";

export function useAccounts(q: string, project: string | undefined) {
  const filters = { ...(q !== "" && { q }), ...(project !== undefined && { project }) };
  return usePages(["accounts", filters], (cursor, signal) =>
    answered(
      api.GET("/api/v1/accounts", {
        params: { query: { ...filters, ...pageQuery(cursor) } },
        signal,
      }),
    ),
  );
}

export function useAccount(account: string, enabled = true) {
  return useQuery({
    enabled,
    queryKey: [accessKey, "account", account],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/accounts/{account}", { params: { path: { account } }, signal })),
  });
}

export function useAccountCreate() {
  return useChange((body: { name: string; project: string | null; display_name: string }) =>
    answered(api.POST("/api/v1/accounts", { body })),
  );
}

export function useAccountDisable(account: string) {
  return useChange((disabled: boolean) =>
    answered(
      api.PATCH("/api/v1/accounts/{account}", {
        params: { path: { account } },
        body: { disabled },
      }),
    ),
  );
}

export function useAccountRemove(account: string) {
  return useChange((_: undefined) =>
    answered(api.DELETE("/api/v1/accounts/{account}", { params: { path: { account } } })),
  );
}

export function useAccountTokens(account: string) {
  return usePages(["account", account, "tokens"], (cursor, signal) =>
    answered(
      api.GET("/api/v1/accounts/{account}/tokens", {
        params: { path: { account }, query: pageQuery(cursor) },
        signal,
      }),
    ),
  );
}

export function useAccountTokenCreate(account: string) {
  return useChange(({ expires_in_days, ...wish }: TokenWish) =>
    answered(
      api.POST("/api/v1/accounts/{account}/tokens", {
        params: { path: { account } },
        body: { ...wish, expires_in_days: expires_in_days ?? 90 },
      }),
    ),
  );
}

export function useAccountTokenRevoke(account: string) {
  return useChange((token_id: string) =>
    answered(
      api.DELETE("/api/v1/accounts/{account}/tokens/{token_id}", {
        params: { path: { account, token_id } },
      }),
    ),
  );
}
