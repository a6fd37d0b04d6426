/** People: the list, one of them, and what administrators do for them. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import { accessKey, pageQuery, useChange, usePages } from "../pages";

/** The server looks for nothing shorter. */
const FOUND_FROM = 2;

export function usePeople(q: string, disabled: boolean | undefined, enabled = true) {
  const filters = { ...(q !== "" && { q }), ...(disabled !== undefined && { disabled }) };
  return usePages(
    ["people", filters],
    (cursor, signal) =>
      answered(
        api.GET("/api/v1/users", {
          params: { query: { ...filters, ...pageQuery(cursor) } },
          signal,
        }),
      ),
    enabled,
  );
}

/** People whose name begins so, for who gives roles somewhere; nothing under two letters. */
export function useFoundPeople(text: string, enabled = true) {
  return useQuery({
    queryKey: [accessKey, "found", text],
    queryFn: async ({ signal }) =>
      (await answered(api.GET("/api/v1/access/people", { params: { query: { q: text } }, signal })))
        .items,
    enabled: enabled && text.length >= FOUND_FROM,
    staleTime: 60_000,
    retry: false,
  });
}

export function usePerson(username: string) {
  return useQuery({
    queryKey: [accessKey, "person", username],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/users/{username}", { params: { path: { username } }, signal })),
  });
}

export function usePersonCreate() {
  return useChange(
    (body: { username: string; display_name: string; email: string; administrator: boolean }) =>
      answered(api.POST("/api/v1/users", { body })),
  );
}

export interface PersonChange {
  display_name?: string;
  email?: string;
  disabled?: boolean;
}

export function usePersonChange(username: string) {
  return useChange((body: PersonChange) =>
    answered(api.PATCH("/api/v1/users/{username}", { params: { path: { username } }, body })),
  );
}

export function usePasswordReset(username: string) {
  return useChange((_: undefined) =>
    answered(api.POST("/api/v1/users/{username}/password", { params: { path: { username } } })),
  );
}

export function usePersonSignOut(username: string) {
  return useChange((tokens: boolean) =>
    answered(
      api.POST("/api/v1/users/{username}/sign-out", {
        params: { path: { username } },
        body: { tokens },
      }),
    ),
  );
}
