/** The lines of a log as they are kept: bounded, and handed on by version. */

import type { LogLine } from "../../api/types";

/** What one tab holds at most; a longer log is for `podium logs` or a download. */
export const LINES_MAX = 20_000;

export class LogLines {
  lines: readonly LogLine[] = [];
  dropped = 0;
  private readonly counts = new Map<number, number>();
  private readonly listeners = new Set<() => void>();

  add(more: readonly LogLine[]): void {
    const all = [...this.lines, ...more];
    for (const { rank } of more) this.counts.set(rank, (this.counts.get(rank) ?? 0) + 1);
    const over = Math.max(0, all.length - LINES_MAX);
    this.dropped += over;
    this.lines = over > 0 ? all.slice(over) : all;
    for (const each of this.listeners) each();
  }

  /** How many lines the replica wrote here that wrote most. */
  get longest(): number {
    return Math.max(0, ...this.counts.values());
  }

  clear(): void {
    this.counts.clear();
    this.lines = [];
    this.dropped = 0;
    for (const each of this.listeners) each();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): readonly LogLine[] => this.lines;
}
