/** The lines of a log as they are kept: a stretch of it, bounded at either end. */
import type { LogLine } from "../../api/types";
import { type Bare, bareOf } from "./ansi";
import { columnsOf } from "./columns";

/** A line as the server sends it. */
export type SentLine = LogLine & { attempt?: number; offset?: number };

export interface HeldLine extends Bare {
  rank: number;
  attempt: number;
  /** Bytes from the beginning of the log of its attempt. */
  offset: number;
  /** Milliseconds since 1970. */
  at: number | null;
  stream: LogLine["stream"];
  columns: number;
}

/** What one tab holds at most, of however long a log. */
export const LINES_MAX = 200_000;
/** Lines leave in bulk, so that not every new one moves all others. */
const LEAVE_AT_ONCE = 20_000;

export function lineHeld(sent: SentLine): HeldLine {
  const { text, spans } = bareOf(sent.text);
  return {
    rank: sent.rank,
    attempt: sent.attempt ?? 1,
    offset: sent.offset ?? 0,
    at: sent.at ? Date.parse(sent.at) : null,
    stream: sent.stream,
    text,
    spans,
    columns: columnsOf(text),
  };
}

/** Where a line stands, for the server and for addresses: `RANK.ATTEMPT@OFFSET`. */
export function placeOf({ rank, attempt, offset }: Place): string {
  return `${rank}.${attempt}@${offset}`;
}

export interface Place {
  rank: number;
  attempt: number;
  offset: number;
}

export function placeRead(text: string): Place | null {
  const [, rank, attempt, offset] = /^(\d+)\.(\d+)@(\d+)$/.exec(text) ?? [];
  if (rank === undefined) return null;
  return { rank: Number(rank), attempt: Number(attempt), offset: Number(offset) };
}

export function isAt(line: Place, place: Place): boolean {
  return line.offset === place.offset && line.rank === place.rank && line.attempt === place.attempt;
}

export class LogBuffer {
  /** In order. The array is changed in place; `version` says when. */
  readonly lines: HeldLine[] = [];
  /** A number for the first line that it keeps while lines come and go around it. */
  first = 0;
  version = 0;
  /** How many were ever put in at the end. */
  appended = 0;
  private readonly listeners = new Set<() => void>();

  /** Tells how many left at the beginning. */
  append(more: readonly HeldLine[]): number {
    for (const each of more) this.lines.push(each);
    this.appended += more.length;
    const over = this.lines.length - LINES_MAX;
    const left = over > 0 ? Math.min(this.lines.length, over + LEAVE_AT_ONCE) : 0;
    if (left > 0) {
      this.lines.splice(0, left);
      this.first += left;
    }
    this.tell();
    return left;
  }

  /** Tells how many left at the end. */
  prepend(more: readonly HeldLine[]): number {
    const all = more.concat(this.lines);
    const over = Math.max(0, all.length - LINES_MAX);
    this.refill(over > 0 ? all.slice(0, LINES_MAX) : all);
    this.first -= more.length;
    this.tell();
    return over;
  }

  replace(lines: readonly HeldLine[]): void {
    this.first += this.lines.length + LINES_MAX;
    this.refill(lines);
    this.tell();
  }

  indexOf(place: Place): number {
    return this.lines.findIndex((line) => isAt(line, place));
  }

  /** Lines that several batches would have moved: one by one, for a spread has its limits. */
  private refill(lines: readonly HeldLine[]): void {
    this.lines.length = 0;
    for (const each of lines) this.lines.push(each);
  }

  private tell(): void {
    this.version += 1;
    for (const each of this.listeners) each();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): number => this.version;
}
