/** Changes one field of a spec's text and leaves every other letter as it is: comments, order,
 * quotes and blank lines. The form writes with this. */
import {
  Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Pair,
  type ParsedNode,
  Scalar,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { type Path, type Plain, type SpecDocument, specRead } from "./specText";

/** The order in which new fields find their place among those that are there. */
const ORDER: Record<string, readonly string[]> = {
  "": [
    "version",
    "name",
    "kind",
    "project",
    "source",
    "image",
    "command",
    "script",
    "replicas",
    "groups",
    "array",
    "resources",
    "topology",
    "env",
    "secrets",
    "volumes",
    "depends_on",
    "priority",
    "max_runtime",
    "deadline",
    "retries",
    "grace",
    "labels",
  ],
  resources: ["gpus", "gpu_memory", "mig", "isolation", "gpu_type", "cpus", "memory", "nodes"],
  "resources.mig": ["profile", "count"],
  source: ["git", "ref", "upload", "path"],
  replicas: ["min", "max"],
  topology: ["within", "prefer"],
};

const WRITING = { lineWidth: 0, blockQuote: "literal", aliasDuplicateObjects: false } as const;

type Step = (document: SpecDocument) => void;

/** `undefined` takes the field out, and a map that this leaves empty with it. A text that cannot
 * be read is answered as it is. */
export function valueSet(text: string, path: Path, value: Plain | undefined): string {
  const { document, broken } = specRead(text);
  if (broken) return text;
  const target = value === undefined ? removalPath(document, path) : path;
  const before = document.toJS() ?? {};
  const meant = structuredClone(before);
  plainSet(meant, target, value);
  if (isSame(before, meant)) return text;
  const step: Step = (open) => {
    if (value === undefined) open.deleteIn(target);
    else open.setIn(target, open.createNode(value));
  };
  return written(text, meant, () => spliced(document, text, target, value), step);
}

/** Renames an entry of a map, in its place. */
export function nameChange(text: string, path: Path, name: string): string {
  const { document, broken } = specRead(text);
  const holder = broken ? undefined : collectionAt(document, path.slice(0, -1));
  if (!isMap(holder)) return text;
  const pair = pairOf(holder, path.at(-1));
  const key = pair?.key;
  if (!isScalar(key) || !key.range || holder.has(name)) return text;
  const meant = document.toJS();
  const inside = path.slice(0, -1).reduce((value, part) => value[part], meant);
  inside[name] = inside[String(key.value)];
  delete inside[String(key.value)];
  const [from, to] = key.range;
  const step: Step = (open) => {
    const found = pairOf(collectionAt(open, path.slice(0, -1)) as YAMLMap, path.at(-1));
    if (isScalar(found?.key)) found.key.value = name;
  };
  const named = stringify({ [name]: 0 }, WRITING).replace(/: 0\n$/, "");
  return written(text, meant, () => replaced(text, from, to, named), step);
}

/** The careful change where it says what is meant, else the whole document written anew. */
function written(text: string, meant: unknown, careful: () => string | null, step: Step): string {
  const tried = careful();
  if (tried !== null && says(tried, meant)) return tried;
  try {
    const { document } = specRead(text);
    step(document);
    const anew = document.toString(WRITING);
    return says(anew, meant) ? anew : text;
  } catch {
    return text;
  }
}

function says(text: string, meant: unknown): boolean {
  const { document, broken } = specRead(text);
  return !broken && isSame(document.toJS() ?? {}, meant);
}

function spliced(
  document: SpecDocument,
  text: string,
  path: Path,
  value: Plain | undefined,
): string | null {
  const { contents } = document;
  if (!isMap(contents) || contents.items.length === 0) {
    if (isMap(contents) && contents.flow) return null;
    const own = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    return own + stringify(nested(path, value ?? null), WRITING);
  }
  let holder: YAMLMap | YAMLSeq = contents;
  let depth = 0;
  while (depth < path.length - 1 && !holder.flow) {
    const next: unknown = holder.get(path[depth], true);
    if (!isCollection(next) || (!next.flow && next.items.length === 0)) break;
    holder = next as YAMLMap | YAMLSeq;
    depth += 1;
  }
  if (holder.flow) return flowChanged(text, holder, path.slice(depth), value, document);
  if (!isMap(holder)) {
    const old = holder.get(path[depth], true);
    return depth === path.length - 1 && isScalar(old) ? scalarChanged(text, old, value) : null;
  }
  const pair = pairOf(holder, path[depth]);
  const rest = path.slice(depth + 1);
  if (value === undefined) return pair ? pairRemoved(text, pair) : text;
  if (!pair) return pairAdded(text, holder, path.slice(0, depth + 1), nested(rest, value));
  if (rest.length === 0) {
    const changed = isScalar(pair.value) ? scalarChanged(text, pair.value, value) : null;
    if (changed !== null) return changed;
    if (isSeq(pair.value) && Array.isArray(value)) {
      const end = contentEnd(pair);
      return pairReplaced(text, pair, listChanged(pair.value, value, document), end);
    }
  }
  return pairReplaced(text, pair, nested(rest, value), contentEnd(pair));
}

/** In `{…}` or `[…]`, which is written anew as a whole: it stands on one line mostly. */
function flowChanged(
  text: string,
  holder: YAMLMap | YAMLSeq,
  path: Path,
  value: Plain | undefined,
  document: SpecDocument,
): string | null {
  if (!holder.range) return null;
  const [from, to] = holder.range;
  if (value === undefined) holder.deleteIn(path);
  else holder.setIn(path, document.createNode(value));
  const anew = textOf({ field: holder }, 0).slice("field: ".length);
  return anew.includes("\n") ? null : replaced(text, from, to, anew);
}

/** One value on its line; what follows it there stays. */
function scalarChanged(text: string, old: Scalar, value: Plain | undefined): string | null {
  if (typeof value === "object" || value === undefined || !old.range) return null;
  if (old.type === "BLOCK_LITERAL" || old.type === "BLOCK_FOLDED") return null;
  if (old.anchor || old.tag || (typeof value === "string" && value.includes("\n"))) return null;
  const [from, to] = old.range;
  if (from === to) return null;
  const made = new Scalar(value);
  if (typeof value === "string" && isQuotedByChoice(old)) made.type = old.type as Scalar.Type;
  return replaced(text, from, to, textOf({ field: made }, 0).slice("field: ".length));
}

/** Quotes that a text needed go when it needs them no more; those that one chose stay. */
function isQuotedByChoice({ type, value }: Scalar): boolean {
  if (type !== "QUOTE_DOUBLE" && type !== "QUOTE_SINGLE") return false;
  return !/^["']/.test(stringify(value, WRITING));
}

/** The list with the same entries where they stay, so that their comments do. */
function listChanged(list: YAMLSeq, values: Plain[], document: SpecDocument): YAMLSeq {
  const kept = [...list.items];
  list.items = values.map((value) => {
    const at = kept.findIndex((each) => isScalar(each) && each.value === value);
    return at < 0 ? document.createNode(value) : kept.splice(at, 1)[0];
  });
  // What is written behind the list stays there.
  list.comment = null;
  return list;
}

function pairReplaced(text: string, pair: Pair, value: unknown, end: number): string | null {
  const { key } = pair;
  if (!isScalar(key) || !key.range) return null;
  const [from] = key.range;
  const anew = textOf({ [String(key.value)]: value }, columnOf(text, from)).trimStart();
  return replaced(text, from, end, anew);
}

function pairAdded(text: string, holder: YAMLMap, path: Path, value: unknown): string | null {
  const [first] = holder.items;
  if (!isScalar(first?.key) || !first.key.range) return null;
  const column = columnOf(text, first.key.range[0]);
  const anew = textOf({ [String(path.at(-1))]: value }, column);
  const before = earlierPair(holder, path);
  if (!before) {
    const start = lineStart(text, first.key.range[0]);
    // The first field of an entry of a list stands behind its dash.
    if (text.slice(start, first.key.range[0]).trim() !== "") return null;
    return replaced(text, start, start, `${anew}\n`);
  }
  const at = lineEnd(text, contentEnd(before));
  return at === text.length && !text.endsWith("\n")
    ? `${text}\n${anew}\n`
    : replaced(text, at, at, `${anew}\n`);
}

/** The pair behind which a new one stands: of known fields the one before in order, else the last. */
function earlierPair(holder: YAMLMap, path: Path): Pair | undefined {
  const order = ORDER[path.slice(0, -1).join(".")];
  const rank = order?.indexOf(String(path.at(-1))) ?? -1;
  if (!order || rank < 0) return holder.items.at(-1);
  let nearest: Pair | undefined;
  let nearestRank = -1;
  for (const each of holder.items) {
    const own = order.indexOf(isScalar(each.key) ? String(each.key.value) : "");
    if (own > nearestRank && own < rank) [nearest, nearestRank] = [each, own];
  }
  return nearest;
}

function pairRemoved(text: string, pair: Pair): string | null {
  if (!isScalar(pair.key) || !pair.key.range) return null;
  const start = lineStart(text, pair.key.range[0]);
  if (text.slice(start, pair.key.range[0]).trim() !== "") return null;
  return replaced(text, start, lineEnd(text, contentEnd(pair)), "");
}

/** With the maps around it that would be left empty. */
function removalPath(document: SpecDocument, path: Path): Path {
  let target = path;
  while (target.length > 1) {
    const holder = collectionAt(document, target.slice(0, -1));
    if (holder?.items.length !== 1 || !holder.has(target.at(-1))) break;
    target = target.slice(0, -1);
  }
  return target;
}

/** Where the last letter of it ends; comments and blank lines behind it are not of it. */
function contentEnd(node: unknown): number {
  if (isPair(node)) {
    const value = node.value as ParsedNode | null;
    return value?.range ? contentEnd(value) : contentEnd(node.key);
  }
  if (isCollection(node) && !node.flow && node.items.length > 0) {
    return contentEnd(node.items.at(-1));
  }
  const { range, type, source } = node as Scalar.Parsed;
  const [from, to] = range;
  const isBlock = type === "BLOCK_LITERAL" || type === "BLOCK_FOLDED";
  return isBlock && to > from && source !== undefined ? to - 1 : to;
}

function textOf(value: unknown, column: number): string {
  const indent = " ".repeat(column);
  const document = new Document(value);
  return document
    .toString(WRITING)
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => (line ? indent + line : line))
    .join("\n");
}

function collectionAt(document: SpecDocument, path: Path): YAMLMap | YAMLSeq | undefined {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return isCollection(node) ? (node as YAMLMap | YAMLSeq) : undefined;
}

function pairOf(holder: YAMLMap, name: string | number | undefined): Pair | undefined {
  return holder.items.find(({ key }) => isScalar(key) && String(key.value) === String(name));
}

function nested(path: Path, value: unknown): unknown {
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
}

function plainSet(plain: Record<string, unknown>, path: Path, value: Plain | undefined): void {
  let here: Record<string | number, unknown> = plain;
  for (const part of path.slice(0, -1)) {
    if (typeof here[part] !== "object" || here[part] === null) {
      if (value === undefined) return;
      here[part] = {};
    }
    here = here[part] as Record<string, unknown>;
  }
  const last = path.at(-1) ?? "";
  if (value !== undefined) here[last] = value;
  else if (Array.isArray(here)) here.splice(Number(last), 1);
  else delete here[last];
}

function isSame(one: unknown, other: unknown): boolean {
  return sorted(one) === sorted(other);
}

/** As JSON with names in order, for the place of a field among others has no meaning. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, each) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

function replaced(text: string, from: number, to: number, by: string): string {
  return text.slice(0, from) + by + text.slice(to);
}

function columnOf(text: string, at: number): number {
  return at - lineStart(text, at);
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}
