/** How the live feed is doing, kept where any part of the page can read it. */
import { useSyncExternalStore } from "react";
import type { StreamStatus } from "./stream";

const listeners = new Set<() => void>();
let status: StreamStatus = { phase: "connecting", sinceMs: Date.now() };

export function statusSet(next: StreamStatus): void {
  status = next;
  for (const each of listeners) each();
}

export function useStreamStatus(): StreamStatus {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => status,
  );
}
