/** A workload's life as stretches of time: waiting, starting, running. Pure; PhaseBar draws it. */
import type { WorkloadDetail, WorkloadEvent } from "../../api/types";
import { isEnded, shownState, type Tone } from "../state";

export interface Phase {
  /** A state of the workload. */
  state: string;
  label: string;
  tone: Tone;
  fromMs: number;
  toMs: number;
}

export interface Attempt {
  number: number;
  phases: Phase[];
}

/** The attempts, oldest first; what is under way lasts until `nowMs`. */
export function attemptsOf(
  workload: WorkloadDetail,
  events: readonly WorkloadEvent[],
  nowMs: number,
): Attempt[] {
  const moves = movesOf(workload, events);
  const endMs = workload.ended_at ? Date.parse(workload.ended_at) : nowMs;
  const attempts: Attempt[] = [];
  moves.forEach(({ state, atMs, again }, at) => {
    if (at === 0 || again) attempts.push({ number: attempts.length + 1, phases: [] });
    if (isEnded(state as WorkloadDetail["state"])) return;
    const toMs = Math.max(atMs, moves[at + 1]?.atMs ?? endMs);
    const { label, tone } = shownState(state);
    const phases = attempts.at(-1)?.phases;
    const before = phases?.at(-1);
    // To be placed and to be made ready are one stretch to a reader.
    if (before && before.tone === tone && tone === "moving") before.toMs = toMs;
    else
      phases?.push({
        state,
        label: tone === "moving" ? movingLabel(state) : label,
        tone,
        fromMs: atMs,
        toMs,
      });
  });
  return attempts.filter(({ phases }) => phases.length > 0);
}

function movingLabel(state: string): string {
  return state === "stopping" ? "Stopping" : "Starting";
}

interface Move {
  state: string;
  atMs: number;
  again: boolean;
}

function movesOf(workload: WorkloadDetail, events: readonly WorkloadEvent[]): Move[] {
  const own = events.filter(({ rank }) => rank == null);
  const moves: Move[] = [];
  for (const { state, at, kind } of own) {
    if (moves.at(-1)?.state === state) continue;
    moves.push({ state, atMs: Date.parse(at), again: kind === "WorkloadRequeued" });
  }
  if (moves.length > 0) return moves;
  const { submitted_at, started_at } = workload;
  const first: Move = { state: "queued", atMs: Date.parse(submitted_at), again: false };
  if (!started_at) return [first];
  return [first, { state: "running", atMs: Date.parse(started_at), again: false }];
}

/** When it will be stopped at the latest: by its time limit or its deadline, whichever is first. */
export function limitOf(
  { max_runtime_seconds, deadline, state, array }: WorkloadDetail,
  attempts: readonly Attempt[],
): { atMs: number; why: "time limit" | "deadline" } | null {
  if (isEnded(state)) return null;
  const running = attempts.at(-1)?.phases.findLast((phase) => phase.state === "running");
  const limits: { atMs: number; why: "time limit" | "deadline" }[] = [];
  // Of an array each task has its own time.
  if (max_runtime_seconds && running && !array) {
    limits.push({ atMs: running.fromMs + max_runtime_seconds * 1000, why: "time limit" });
  }
  if (deadline) limits.push({ atMs: Date.parse(deadline), why: "deadline" });
  return limits.sort((a, b) => a.atMs - b.atMs)[0] ?? null;
}

export interface Total {
  label: string;
  tone: Tone;
  seconds: number;
  open: boolean;
}

/** How long it was in each kind of phase, in the order in which they came first. */
export function totalsOf(attempts: readonly Attempt[], workload: WorkloadDetail): Total[] {
  const totals = new Map<string, Total>();
  for (const { label, tone, fromMs, toMs } of attempts.flatMap(({ phases }) => phases)) {
    const held = totals.get(label);
    const seconds = (toMs - fromMs) / 1000;
    totals.set(label, { label, tone, seconds: (held?.seconds ?? 0) + seconds, open: false });
  }
  const last = attempts.at(-1)?.phases.at(-1);
  const open = last && !isEnded(workload.state) ? totals.get(last.label) : undefined;
  if (open) open.open = true;
  return [...totals.values()];
}
