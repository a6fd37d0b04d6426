/** Who is signed in, signing in and out. */
import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { answered, api } from "../api/client";
import { isSignedOut } from "../api/problem";
import type { Action, Identity } from "../api/types";
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

/** A project, or with `team` all projects of a team; nothing means the whole organisation. */
type Place = string | { team: string } | undefined;

/** Whether I may do something there; the server has the last word. */
export function useMay(): (action: Action, place?: Place) => boolean {
  const { everywhere = [], teams = {}, projects = {} } = useIdentity();
  return (action, place) => {
    if (everywhere.includes(action)) return true;
    if (place === undefined) return false;
    const held = typeof place === "string" ? projects[place] : teams[place.team];
    return held?.includes(action) ?? false;
  };
}

/** Whether there is any place where I may do something. */
export function useMaySomewhere(): (action: Action) => boolean {
  const { everywhere = [], teams = {}, projects = {} } = useIdentity();
  const all = [everywhere, ...Object.values(teams), ...Object.values(projects)];
  return (action) => all.some((held) => held.includes(action));
}

/** All that I may do somewhere, in the order of their names. */
export function useActionsHeld(): Action[] {
  const { everywhere = [], teams = {}, projects = {} } = useIdentity();
  const all = [everywhere, ...Object.values(teams), ...Object.values(projects)].flat();
  return [...new Set(all)].sort();
}

/** Whether there is a project that I may submit to. */
export function useMaySubmit(): boolean {
  return useMaySomewhere()("workload:submit");
}

/** Whether somebody has given me any role at all; without one, every page is refused. */
export function isLetIn({ everywhere = [], teams = {}, projects = {} }: Identity): boolean {
  return everywhere.length + Object.keys(teams).length + Object.keys(projects).length > 0;
}

/** Asks now and then whether somebody has been let in, so that the page opens by itself. */
export function useLetInWait() {
  return useQuery({ queryKey: identityKey, queryFn: identityFetch, refetchInterval: 15_000 });
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
      answered(
        api.POST("/api/v1/auth/login", {
          body: { ...body, token_name: "console", kind: "session" },
        }),
      ),
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
    onSuccess: (ended) => {
      recentClear();
      queries.setQueryData(identityKey, null);
      // The provider's own session ends too, or the next click would sign the same person in again.
      if (ended?.end_session_url) window.location.assign(ended.end_session_url);
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
