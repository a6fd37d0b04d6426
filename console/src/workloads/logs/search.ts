/** Finding words in the lines of a log, whatever their case. Pure; useFound calls it. */

import type { Span } from "./ansi";
import { type HeldLine, isAt, type Place } from "./lines";

export function linesFound(lines: readonly HeldLine[], words: string): HeldLine[] {
  const sought = words.toLowerCase();
  return sought ? lines.filter(({ text }) => text.toLowerCase().includes(sought)) : [];
}

/** Two lists in order as one, each line once. */
export function joined(
  some: readonly HeldLine[],
  others: readonly HeldLine[],
  inOrder: (a: HeldLine, b: HeldLine) => number,
): HeldLine[] {
  const all = [...some, ...others].sort(inOrder);
  return all.filter((line, at) => {
    const before = all[at - 1];
    return !before || !isAt(before, line);
  });
}

/** The line found after or before `from`, around both ends; the last one where none was chosen. */
export function step(found: readonly HeldLine[], from: Place | null, by: 1 | -1): HeldLine | null {
  const at = from ? found.findIndex((line) => isAt(line, from)) : -1;
  if (at < 0) return found.at(-1) ?? null;
  return found[(at + by + found.length) % found.length] ?? null;
}

export interface Piece {
  text: string;
  found: boolean;
  span: Span | null;
}

/** A line's text, cut where `words` and where colours begin and end. */
export function piecesOf(
  text: string,
  words: string,
  spans: readonly Span[] | null = null,
): Piece[] {
  const marks = marksOf(text, words);
  if (marks.length === 0 && !spans) return [{ text, found: false, span: null }];
  const cuts = new Set([0, text.length]);
  for (const [from, to] of marks) cuts.add(from).add(to);
  for (const { from, to } of spans ?? []) cuts.add(from).add(to);
  const places = [...cuts].sort((a, b) => a - b);
  const pieces: Piece[] = [];
  for (let at = 0; at + 1 < places.length; at += 1) {
    const from = places[at] ?? 0;
    pieces.push({
      text: text.slice(from, places[at + 1]),
      found: marks.some(([start, end]) => start <= from && from < end),
      span: spans?.find((span) => span.from <= from && from < span.to) ?? null,
    });
  }
  return pieces;
}

function marksOf(text: string, words: string): [from: number, to: number][] {
  if (!words) return [];
  const lower = text.toLowerCase();
  const sought = words.toLowerCase();
  // Where lower case has another length, places in it are not places in the text.
  if (lower.length !== text.length) return [];
  const marks: [number, number][] = [];
  for (let at = lower.indexOf(sought); at >= 0; at = lower.indexOf(sought, at + sought.length)) {
    marks.push([at, at + sought.length]);
  }
  return marks;
}
