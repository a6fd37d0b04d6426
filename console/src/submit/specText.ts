/** A spec's text, read: its document, what its fields say, and where the YAML is broken. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
} from "yaml";

export type Path = readonly (string | number)[];
export type Plain = string | number | boolean | Plain[] | { [name: string]: Plain };
export type SpecDocument = Document.Parsed<ParsedNode>;

/** Where and why a text cannot be read. */
export interface Break {
  message: string;
  line: number;
  column: number;
  from: number;
  to: number;
}

export interface Reading {
  document: SpecDocument;
  broken: Break | null;
}

export function specRead(text: string): Reading {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "silent",
  });
  const [error] = document.errors;
  if (error) {
    const [from, to] = error.pos;
    return { document, broken: brokenAt(inWords(error.code, error.message), from, to, lines) };
  }
  const { contents } = document;
  const isEmpty = contents === null || (isScalar(contents) && contents.value === null);
  if (!isEmpty && !isMap(contents)) {
    const [from = 0, to = 0] = contents?.range ?? [];
    const wrong = "A workload is lines of fields. Begin with a line such as name: my-workload";
    return { document, broken: brokenAt(wrong, from, to, lines) };
  }
  return { document, broken: null };
}

function brokenAt(message: string, from: number, to: number, lines: LineCounter): Break {
  const { line, col } = lines.linePos(from);
  const ended = /[.?]$/.test(message) ? message : `${message}.`;
  return { message: ended, line, column: col, from, to: Math.max(to, from + 1) };
}

/** The faults that people make most, said as what would be right. */
function inWords(code: string, message: string): string {
  switch (code) {
    case "DUPLICATE_KEY":
      return "This field is there twice. Keep one of them";
    case "TAB_AS_INDENT":
      return "Indent with spaces; YAML allows no tabs there";
    case "MULTIPLE_DOCS":
      return "There are several workloads in it. Submit them one by one here";
    case "BLOCK_AS_IMPLICIT_KEY":
      return "Put a text that holds ': ' in quotes, and check the indentation";
    default:
      return message;
  }
}

export function nodeAt(document: SpecDocument, path: Path): unknown {
  return path.length === 0 ? document.contents : document.getIn(path, true);
}

/** The text of one value as it was written: "" when there is none, null for a list or a map. */
export function textAt(document: SpecDocument, path: Path): string | null {
  return textOf(nodeAt(document, path));
}

function textOf(node: unknown): string | null {
  if (node === undefined || node === null) return "";
  if (!isScalar(node)) return null;
  if (node.value === null) return "";
  return typeof node.value === "string" ? node.value : (node.source ?? String(node.value));
}

/** The texts of a list; one text alone is a list of it; null for what is neither. */
export function textsAt(document: SpecDocument, path: Path): string[] | null {
  const node = nodeAt(document, path);
  if (!isSeq(node)) {
    const text = textOf(node);
    return text === null ? null : text === "" ? [] : [text];
  }
  const texts = node.items.map(textOf);
  return texts.includes(null) ? null : (texts as string[]);
}

/** A map's names with their texts; null for what is no map of texts. */
export function entriesAt(document: SpecDocument, path: Path): [string, string][] | null {
  const node = nodeAt(document, path);
  if (node === undefined || node === null || (isScalar(node) && node.value === null)) return [];
  if (!isMap(node)) return null;
  const entries: [string, string][] = [];
  for (const { key, value } of node.items) {
    const [name, text] = [textOf(key), textOf(value)];
    if (name === null || text === null || isAlias(value)) return null;
    entries.push([name, text]);
  }
  return entries;
}

export function isMapAt(document: SpecDocument, path: Path): boolean {
  return isMap(nodeAt(document, path));
}

export function isListAt(document: SpecDocument, path: Path): boolean {
  return isSeq(nodeAt(document, path));
}

export function isSetAt(document: SpecDocument, path: Path): boolean {
  const node = nodeAt(document, path);
  return node !== undefined && node !== null && !(isScalar(node) && node.value === null);
}
