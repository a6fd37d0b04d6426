/** The states in words, and the hue that each one has everywhere. */
import type { Kind, Refusal, WorkloadState } from "../api/types";

/** Replicas know one state more: `waiting`. */
export type ShownState = WorkloadState | "waiting";

export type Tone = "waiting" | "moving" | "running" | "succeeded" | "failed" | "idle";

interface Shown {
  label: string;
  tone: Tone;
}

export const shownStates: Record<ShownState, Shown> = {
  queued: { label: "Waiting", tone: "waiting" },
  waiting: { label: "Waiting", tone: "waiting" },
  scheduled: { label: "Scheduled", tone: "moving" },
  starting: { label: "Starting", tone: "moving" },
  running: { label: "Running", tone: "running" },
  stopping: { label: "Stopping", tone: "moving" },
  succeeded: { label: "Succeeded", tone: "succeeded" },
  failed: { label: "Failed", tone: "failed" },
  cancelled: { label: "Cancelled", tone: "idle" },
};

export const workloadStates = [
  "queued",
  "scheduled",
  "starting",
  "running",
  "stopping",
  "succeeded",
  "failed",
  "cancelled",
] as const satisfies readonly WorkloadState[];

export const kinds = [
  "training",
  "batch",
  "evaluation",
  "service",
  "workspace",
] as const satisfies readonly Kind[];

export function isEnded(state: WorkloadState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}

/** Why it, or the rest of a running array, waits. */
export function waitingOf({ state, waiting }: Waits): Refusal | null {
  return isEnded(state) || state === "stopping" ? null : (waiting ?? null);
}

interface Waits {
  state: WorkloadState;
  waiting?: Refusal | null;
}

export function shownState(state: string): Shown {
  return shownStates[state as ShownState] ?? { label: state, tone: "idle" };
}

export function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
