/**
 * A line of a log as a terminal would leave it standing: its colour codes as spans over bare text,
 * and of a line that was redrawn its end. Everything else that steers a terminal is dropped.
 */

/** `fg` and `bg` are one of the sixteen colours that the style sheet knows. */
export interface Look {
  fg?: number;
  bg?: number;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
}

export interface Span extends Look {
  from: number;
  to: number;
}

export interface Bare {
  text: string;
  /** null where nothing but plain text is. */
  spans: readonly Span[] | null;
}

const ESCAPE = String.fromCharCode(27);
const BELL = String.fromCharCode(7);
/** Colours and other commands of a terminal, titles and links, and single-letter commands. */
const codes = new RegExp(
  `${ESCAPE}(?:\\[([0-?]*)[ -/]*([@-~])|\\][^${BELL}${ESCAPE}]*(?:${BELL}|${ESCAPE}\\\\)?|[@-Z\\\\^_])`,
  "g",
);
/** Everything that is no letter, but for tabs. */
const special = new RegExp(`[${letter(0)}-${letter(8)}${letter(11)}-${letter(31)}${letter(127)}]`);
const controls = new RegExp(special.source, "g");

function letter(code: number): string {
  return String.fromCharCode(code);
}

export function bareOf(raw: string): Bare {
  if (!special.test(raw)) return { text: raw, spans: null };
  const line = raw.includes("\r") ? (raw.split("\r").findLast((each) => each !== "") ?? "") : raw;
  if (!line.includes(ESCAPE)) return { text: line.replace(controls, ""), spans: null };
  const spans: Span[] = [];
  let look: Look = {};
  let text = "";
  let done = 0;
  const take = (to: number) => {
    const piece = line.slice(done, to).replace(controls, "");
    if (piece && Object.keys(look).length > 0) {
      spans.push({ from: text.length, to: text.length + piece.length, ...look });
    }
    text += piece;
  };
  for (const found of line.matchAll(codes)) {
    take(found.index);
    done = found.index + found[0].length;
    if (found[2] === "m") look = lookAfter(look, found[1] ?? "");
  }
  take(line.length);
  return { text, spans: spans.length > 0 ? spans : null };
}

function lookAfter(before: Look, parameters: string): Look {
  const numbers = parameters.split(/[;:]/).map((each) => Number(each) || 0);
  let look: Look = { ...before };
  for (let at = 0; at < numbers.length; at += 1) {
    const code = numbers[at] ?? 0;
    if (code === 0) look = {};
    else if (code === 1) look.bold = true;
    else if (code === 2) look.dim = true;
    else if (code === 3) look.italic = true;
    else if (code === 4) look.underline = true;
    else if (code === 22) look = without(look, "bold", "dim");
    else if (code === 23) look = without(look, "italic");
    else if (code === 24) look = without(look, "underline");
    else if (code === 39) look = without(look, "fg");
    else if (code === 49) look = without(look, "bg");
    else if (code >= 30 && code <= 37) look.fg = code - 30;
    else if (code >= 90 && code <= 97) look.fg = code - 82;
    else if (code >= 40 && code <= 47) look.bg = code - 40;
    else if (code >= 100 && code <= 107) look.bg = code - 92;
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(numbers.slice(at + 1));
      at += used;
      if (colour !== null) look = { ...look, [code === 38 ? "fg" : "bg"]: colour };
    }
  }
  return look;
}

function without(look: Look, ...names: (keyof Look)[]): Look {
  const rest = { ...look };
  for (const name of names) delete rest[name];
  return rest;
}

/** Colours beyond the sixteen become the nearest of them, so that each can be read on its ground. */
function extended([kind, ...rest]: number[]): [colour: number | null, used: number] {
  if (kind === 5) {
    const code = rest[0] ?? 0;
    if (code < 16) return [code, 2];
    if (code >= 232) return [nearest(grey(code), grey(code), grey(code)), 2];
    const cube = code - 16;
    return [nearest(step(cube / 36), step((cube / 6) % 6), step(cube % 6)), 2];
  }
  if (kind === 2) return [nearest(rest[0] ?? 0, rest[1] ?? 0, rest[2] ?? 0), 4];
  return [null, 0];
}

function grey(code: number): number {
  return 8 + 10 * (code - 232);
}

function step(value: number): number {
  const level = Math.floor(value);
  return level === 0 ? 0 : 55 + 40 * level;
}

function nearest(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  const least = Math.min(red, green, blue);
  if (most - least < 40) return most < 64 ? 0 : most < 160 ? 8 : most < 224 ? 7 : 15;
  const half = (most + least) / 2;
  const hue = (red > half ? 1 : 0) + (green > half ? 2 : 0) + (blue > half ? 4 : 0);
  return most > 208 ? hue + 8 : hue;
}
