/** Secrets of a project, by name, and the keys that seal all of them. Values are only written. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import { accessKey, pageQuery, useChange, usePages } from "../pages";

export function useSecrets(project: string) {
  return usePages(["secrets", project], (cursor, signal) =>
    answered(
      api.GET("/api/v1/projects/{project}/secrets", {
        params: { path: { project }, query: pageQuery(cursor) },
        signal,
      }),
    ),
  );
}

export function useSecretSet(project: string) {
  return useChange(({ name, value }: { name: string; value: string }) =>
    answered(
      api.PUT("/api/v1/projects/{project}/secrets/{name}", {
        params: { path: { project, name } },
        body: { value },
      }),
    ),
  );
}

export function useSecretRemove(project: string, name: string) {
  return useChange((_: undefined) =>
    answered(
      api.DELETE("/api/v1/projects/{project}/secrets/{name}", {
        params: { path: { project, name } },
      }),
    ),
  );
}

export function useSealingKeys() {
  return useQuery({
    queryKey: [accessKey, "keys"],
    queryFn: ({ signal }) => answered(api.GET("/api/v1/secrets/keys", { signal })),
    // A rotation goes on in the background.
    refetchInterval: ({ state }) => (state.data && state.data.left > 0 ? 5_000 : false),
  });
}

export function useKeysRotate() {
  return useChange((_: undefined) => answered(api.POST("/api/v1/secrets/rotate")));
}
