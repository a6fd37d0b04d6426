/** Who is signed in, signing in and out. */
import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { answered, api } from "../api/client";
import { isSignedOut } from "../api/problem";
import type { Identity } from "../api/types";
import { recentClear } from "../palette/recent";

const identityKey = ["session", "identity"];

/** The identity; null when nobody is signed in. */
export function useIdentityQuery(enabled = true) {
  return useQuery({ queryKey: identityKey, queryFn: identityFetch, enabled, staleTime: 60_000 });
}

/** Filled by SessionGate. What it holds outlives the session by a moment, while pages close. */
export const IdentityContext = createContext<Identity | null>(null);

/** For what is drawn only inside SessionGate, where somebody is signed in. */
export function useIdentity(): Identity {
  const identity = useContext(IdentityContext);
  if (!identity) throw new Error("useIdentity is used outside of SessionGate.");
  return identity;
}

/** Whether there is a project that I may submit to. */
export function useMaySubmit(): boolean {
  const { administrator, roles } = useIdentity();
  return administrator || Object.values(roles).some((role) => role !== "viewer");
}

async function identityFetch(): Promise<Identity | null> {
  try {
    return await answered(api.GET("/api/v1/auth/me"));
  } catch (error) {
    if (isSignedOut(error)) return null;
    throw error;
  }
}

const endedKey = ["session", "ended"];

/** The session is over: the gate shows sign-in in place, so the address stays where one was. */
export function sessionEnded(queries: QueryClient): void {
  // Who was at work is told why sign-in stands here; who signs out or comes new knows.
  if (queries.getQueryData(identityKey)) queries.setQueryData(endedKey, true);
  queries.setQueryData(identityKey, null);
}

/** Whether the sign-in ended by itself while somebody was at work. */
export function useEndedEarly(): boolean {
  const { data } = useQuery({ queryKey: endedKey, queryFn: () => false, enabled: false });
  return data === true;
}

/** Asks whether the session still lasts; silence says nothing about it. */
export function sessionRecheck(queries: QueryClient): void {
  identityFetch().then(
    (identity) => {
      if (identity) queries.setQueryData(identityKey, identity);
      else sessionEnded(queries);
    },
    () => {},
  );
}

/** Another person may see other things, so nothing of the last one is kept. */
async function sessionBegun(queries: QueryClient): Promise<void> {
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" });
  queries.setQueryData(endedKey, false);
  await queries.fetchQuery({ queryKey: identityKey, queryFn: identityFetch });
}

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: { username: string; password: string }) =>
      answered(api.POST("/api/v1/auth/login", { body: { ...body, token_name: "console" } })),
    onSuccess: () => sessionBegun(queries),
  });
}

/** Exchanges the one-time ticket once, however often the page renders. */
export function useTicket(ticket: string | null) {
  const queries = useQueryClient();
  return useQuery({
    queryKey: ["session", "ticket"],
    queryFn: async () => {
      await answered(api.POST("/api/v1/auth/ticket", { body: { ticket: ticket ?? "" } }));
      await sessionBegun(queries);
      return true;
    },
    enabled: ticket !== null,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answered(api.POST("/api/v1/auth/logout")),
    onSuccess: () => {
      recentClear();
      queries.setQueryData(identityKey, null);
    },
  });
}

export function usePasswordChange() {
  const queries = useQueryClient();
  return useMutation({
    // A one-time password or link was proof enough; the current password need not be told again.
    mutationFn: (body: { new: string; current?: string }) =>
      answered(api.POST("/api/v1/auth/password", { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: identityKey }),
  });
}
