/** Provisioning by SCIM: where a directory writes to, its tokens, and what it changed last. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import { accessKey, useChange } from "../pages";

const AGAIN_MS = 4_000;

export function useDirectory() {
  return useQuery({
    queryKey: [accessKey, "directory"],
    queryFn: ({ signal }) => answered(api.GET("/api/v1/directory", { signal })),
    refetchInterval: AGAIN_MS,
  });
}

/** Where this server takes itself to be, which a proxy may hide from the browser. */
export function useOrigin(): string {
  const { data } = useQuery({
    queryKey: [accessKey, "directory"],
    queryFn: ({ signal }) => answered(api.GET("/api/v1/directory", { signal })),
    staleTime: 60_000,
  });
  return data?.address ? new URL(data.address).origin : window.location.origin;
}

export function useDirectoryTokenCreate() {
  return useChange((body: { account: string; expires_in_days: number }) =>
    answered(api.POST("/api/v1/directory/tokens", { body })),
  );
}

export function useDirectoryTokenRevoke(account: string) {
  return useChange((token_id: string) =>
    answered(
      api.DELETE("/api/v1/accounts/{account}/tokens/{token_id}", {
        params: { path: { account, token_id } },
      }),
    ),
  );
}
