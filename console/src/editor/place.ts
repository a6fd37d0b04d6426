/** Where in a YAML document a position is, read by lines and indentation, for a document that one
 * is still writing has no tree that could be trusted. */
import { ENTRY } from "./schema";

export interface Place {
  /** The fields around the position, from the outermost; `*` is an entry of a list. */
  path: string[];
  /** Whether a field's name belongs here, or the value of the last field of the path. */
  kind: "name" | "value";
  /** What is written of it so far, and where that begins. */
  word: string;
  from: number;
}

interface Line {
  indent: number;
  /** Column behind each `- `. */
  dashes: number[];
  text: string;
}

const NAMED = /^("[^"]*"|'[^']*'|[^\s#:,[\]{}"'][^:#,[\]{}]*?)\s*:(?=\s|$)/;

/** null inside comments, texts of many lines and quotes, where nothing can be said. */
export function placeAt(text: string, position: number): Place | null {
  const start = text.lastIndexOf("\n", position - 1) + 1;
  const before = text.slice(start, position);
  const line = lineRead(before);
  const column = line.dashes.at(-1) ?? line.indent;
  const outer = pathAbove(text.slice(0, start), line);
  if (!outer || isComment(line.text)) return null;
  for (const _ of line.dashes) outer.push(ENTRY);
  const name = NAMED.exec(line.text);
  if (!name) {
    const inside = flowInside(outer, line.text, start + column);
    if (inside !== undefined) return inside;
    if (/[\s:"']/.test(line.text)) return null;
    const kind = line.dashes.length > 0 ? "value" : "name";
    return { path: outer, kind, word: line.text, from: start + column };
  }
  const path = [...outer, unquoted(name[1] ?? "")];
  const rest = line.text.slice(name[0].length);
  const blank = rest.length - rest.trimStart().length;
  if (blank === 0) return null;
  const value = rest.slice(blank);
  const from = start + column + name[0].length + blank;
  const inside = flowInside(path, value, from);
  if (inside !== undefined) return inside;
  if (/^["'|>&*!]/.test(value)) return null;
  return { path, kind: "value", word: value, from };
}

/** The path of the field whose name is at a position, with where the name stands. */
export function nameAt(
  text: string,
  position: number,
): { path: string[]; from: number; to: number } | null {
  const start = text.lastIndexOf("\n", position - 1) + 1;
  const ending = text.indexOf("\n", position);
  const whole = text.slice(start, ending < 0 ? text.length : ending);
  let from = position - start;
  let to = from;
  while (from > 0 && /[\w-]/.test(whole[from - 1] ?? "")) from -= 1;
  while (to < whole.length && /[\w-]/.test(whole[to] ?? "")) to += 1;
  if (from === to || !/^\s*:(\s|$)/.test(whole.slice(to))) return null;
  const place = placeAt(text, start + to);
  if (place?.kind !== "name" && place?.path.at(-1) !== ENTRY) return null;
  return { path: [...place.path, whole.slice(from, to)], from: start + from, to: start + to };
}

function lineRead(text: string): Line {
  const indent = text.length - text.trimStart().length;
  const dashes: number[] = [];
  let column = indent;
  for (;;) {
    const dash = /^-(\s+|$)/.exec(text.slice(column));
    if (!dash) break;
    column += dash[0].length;
    dashes.push(column);
  }
  return { indent, dashes, text: text.slice(column) };
}

/** The fields that a line stands under; null where it is part of a text of many lines. */
function pathAbove(above: string, line: Line): string[] | null {
  const path: string[] = [];
  let { indent } = line;
  let listed = line.dashes.length > 0;
  const lines = above.split("\n");
  for (let at = lines.length - 1; at >= 0 && (indent > 0 || listed); at -= 1) {
    const written = lines[at] ?? "";
    if (!written.trim()) continue;
    const each = lineRead(written);
    if (isComment(each.text)) continue;
    // Lists may stand at the same column as the name that they belong to.
    const under = each.indent < indent || (listed && each.indent === indent && !each.dashes.length);
    if (
      under ||
      (each.dashes.length > 0 && (each.dashes[0] ?? 0) <= indent && each.indent < indent)
    ) {
      const name = NAMED.exec(each.text);
      if (name) {
        const value = each.text.slice(name[0].length).trim();
        if (/^[|>]/.test(value)) return null;
        const column = each.dashes.at(-1) ?? each.indent;
        if (column < indent || (listed && column === indent)) path.unshift(unquoted(name[1] ?? ""));
      }
      for (const _ of each.dashes) path.unshift(ENTRY);
      indent = each.indent;
      listed = each.dashes.length > 0;
    }
  }
  return path;
}

/** Within `{…}` and `[…]` on one line; undefined where none is open. */
function flowInside(outer: string[], text: string, offset: number): Place | null | undefined {
  const open: { bracket: string; name: string | null; from: number }[] = [];
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? "";
    const top = open.at(-1);
    if (quote) {
      if (letter === quote) quote = "";
    } else if (!top && at === 0 && letter !== "{" && letter !== "[") return undefined;
    else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === "#" && /\s/.test(text[at - 1] ?? " ")) return null;
    else if (letter === "{" || letter === "[")
      open.push({ bracket: letter, name: null, from: at + 1 });
    else if (letter === "}" || letter === "]") open.pop();
    else if (top && letter === ",") {
      top.name = null;
      top.from = at + 1;
    } else if (top?.bracket === "{" && letter === ":" && /\s|^$/.test(text[at + 1] ?? "")) {
      top.name = unquoted(text.slice(top.from, at).trim());
      top.from = at + 1;
    }
  }
  const last = open.at(-1);
  if (!last) return text.startsWith("{") || text.startsWith("[") ? null : undefined;
  if (quote) return null;
  const path = [...outer];
  for (const each of open) {
    if (each.bracket === "[") path.push(ENTRY);
    else if (each.name !== null) path.push(each.name);
  }
  const raw = text.slice(last.from);
  const word = raw.trimStart();
  const from = offset + last.from + raw.length - word.length;
  return { path, kind: last.bracket === "{" && last.name === null ? "name" : "value", word, from };
}

function isComment(text: string): boolean {
  return /^#|\s#/.test(text);
}

function unquoted(name: string): string {
  return /^(["']).*\1$/.test(name) ? name.slice(1, -1) : name;
}
