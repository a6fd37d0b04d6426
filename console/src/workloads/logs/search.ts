/** Finding words in the lines of a log, whatever their case. Pure; LogTab calls it. */
import type { LogLine } from "../../api/types";

export function linesFound(lines: readonly LogLine[], words: string): LogLine[] {
  const sought = words.toLowerCase();
  return sought ? lines.filter(({ text }) => text.toLowerCase().includes(sought)) : [];
}

/** The line found after or before `from`, around both ends; the last one where none was chosen. */
export function step(found: readonly LogLine[], from: LogLine | null, by: 1 | -1): LogLine | null {
  const at = from ? found.indexOf(from) : -1;
  if (at < 0) return found.at(-1) ?? null;
  return found[(at + by + found.length) % found.length] ?? null;
}

export interface Piece {
  text: string;
  found: boolean;
}

/** A line's text, cut where `words` begin and end. */
export function piecesOf(text: string, words: string): Piece[] {
  if (!words) return [{ text, found: false }];
  const lower = text.toLowerCase();
  const sought = words.toLowerCase();
  // Where lower case has another length, places in it are not places in the text.
  if (lower.length !== text.length) return [{ text, found: false }];
  const pieces: Piece[] = [];
  let from = 0;
  for (let at = lower.indexOf(sought); at >= 0; at = lower.indexOf(sought, from)) {
    if (at > from) pieces.push({ text: text.slice(from, at), found: false });
    from = at + sought.length;
    pieces.push({ text: text.slice(at, from), found: true });
  }
  if (from < text.length) pieces.push({ text: text.slice(from), found: false });
  return pieces;
}
