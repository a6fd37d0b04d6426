/** Sign-in providers, as administrators set them up. The secret of a client is only written. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import type { ProviderRequest } from "../../api/types";
import { accessKey, useChange } from "../pages";

const AGAIN_MS = 4_000;

export function useProviders() {
  return useQuery({
    queryKey: [accessKey, "providers"],
    queryFn: async ({ signal }) => (await answered(api.GET("/api/v1/providers", { signal }))).items,
    refetchInterval: AGAIN_MS,
  });
}

export function useProvider(name: string) {
  return useQuery({
    queryKey: [accessKey, "providers", name],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/providers/{name}", { params: { path: { name } }, signal })),
    refetchInterval: AGAIN_MS,
  });
}

export function useProviderSet() {
  const queries = useQueryClient();
  return useChange(async ({ name, ...body }: ProviderRequest & { name: string }) => {
    const made = await answered(
      api.PUT("/api/v1/providers/{name}", { params: { path: { name } }, body }),
    );
    await queries.invalidateQueries({ queryKey: ["session", "providers"] });
    return made;
  });
}

export function useProviderRemove(name: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (_: undefined) =>
      answered(api.DELETE("/api/v1/providers/{name}", { params: { path: { name } } })),
    // The list alone: the one that is gone is still on the screen, and would be asked for again.
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: [accessKey, "providers"], exact: true });
      void queries.invalidateQueries({ queryKey: ["session", "providers"] });
    },
  });
}

/** What a provider answers just now. */
export function useProviderTry(name: string) {
  return useMutation({
    mutationFn: () =>
      answered(api.POST("/api/v1/providers/{name}/test", { params: { path: { name } } })),
  });
}

/** The same of an issuer that is no provider yet. */
export function useIssuerCheck() {
  return useMutation({
    mutationFn: (issuer: string) =>
      answered(api.POST("/api/v1/providers/check", { body: { issuer } })),
  });
}

/** The newest sign-ins through it that are on record, and what was refused there. */
export function useSignIns(name: string, enabled: boolean) {
  return useQuery({
    queryKey: [accessKey, "providers", name, "sign-ins"],
    queryFn: async ({ signal }) => {
      const query = { action: "user:sign-in", q: name, limit: 100 };
      const { items } = await answered(api.GET("/api/v1/audit", { params: { query }, signal }));
      return items.filter(
        ({ detail, subject }) =>
          detail.provider === name || subject.startsWith(`auth/oidc/${name}/`),
      );
    },
    enabled,
    refetchInterval: AGAIN_MS,
  });
}
