/** The ways in beside a password, command lines that ask to be let in, and one's own sign-ins. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { sessionEnded } from "./queries";

export function useProviders() {
  return useQuery({
    queryKey: ["session", "providers"],
    queryFn: () => answered(api.GET("/api/v1/auth/providers")),
    staleTime: 60_000,
  });
}

/** Where the browser goes to sign in with a provider, and comes back from to `next`. */
export function startAddress(provider: string, next: string): string {
  const name = encodeURIComponent(provider);
  return `/api/v1/auth/oidc/${name}/start?next=${encodeURIComponent(next)}`;
}

export function useDeviceCode(code: string) {
  return useQuery({
    queryKey: ["session", "device", code],
    queryFn: () =>
      answered(
        api.GET("/api/v1/auth/device/{user_code}", { params: { path: { user_code: code } } }),
      ),
    enabled: code !== "",
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useDeviceDecision(code: string) {
  return useMutation({
    mutationFn: (approve: boolean) =>
      answered(
        api.POST("/api/v1/auth/device/{user_code}", {
          params: { path: { user_code: code } },
          body: { approve },
        }),
      ),
  });
}

export function useSignOutEverywhere() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      answered(
        api.POST("/api/v1/auth/sign-out-everywhere", { body: { keep_this: false, tokens: false } }),
      ),
    onSuccess: () => sessionEnded(queries),
  });
}
