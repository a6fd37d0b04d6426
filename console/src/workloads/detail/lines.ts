/** The lines of a log as they are kept: bounded, and handed on by version. */

export interface LogLine {
  rank: number;
  /** Null where the server says something about the log itself. */
  at: string | null;
  stream: "out" | "err" | "podium";
  text: string;
}

/** What one tab holds at most; a longer log is for `podium logs` or a download. */
export const LINES_MAX = 20_000;

export class LogLines {
  lines: readonly LogLine[] = [];
  dropped = 0;
  private readonly listeners = new Set<() => void>();

  add(more: readonly LogLine[]): void {
    const all = [...this.lines, ...more];
    const over = Math.max(0, all.length - LINES_MAX);
    this.dropped += over;
    this.lines = over > 0 ? all.slice(over) : all;
    for (const each of this.listeners) each();
  }

  clear(): void {
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
