/** What the server is, and its health. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { UnreachableError } from "../api/problem";
import type { Health } from "../api/types";

const RECHECK_MS = 15_000;

export function useAbout() {
  return useQuery({
    queryKey: ["about"],
    queryFn: ({ signal }) => answered(api.GET("/api/v1/about", { signal })),
    staleTime: 60_000,
  });
}

export function useHealth() {
  return useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => healthFetch(signal),
    refetchInterval: RECHECK_MS,
  });
}

/** An unhealthy server answers 503 with the same document, which is an answer here. */
async function healthFetch(signal: AbortSignal): Promise<Health> {
  let answer: { data?: Health; error?: unknown; response: Response };
  try {
    answer = await api.GET("/readyz", { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new UnreachableError(error);
  }
  const body = answer.data ?? answer.error;
  if (isHealth(body)) return body;
  return answered(Promise.resolve(answer as { data: Health; response: Response }));
}

function isHealth(body: unknown): body is Health {
  return typeof body === "object" && body !== null && "ok" in body;
}
