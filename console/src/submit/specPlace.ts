/** Where in the text a fault's field stands: resources.gpus, env.FOO, volumes.0.path. */
import { isMap, isScalar, isSeq, type Pair, type YAMLMap } from "yaml";
import type { Mark } from "../editor/marks";
import type { Fault } from "./faults";
import { faultInWords, lineInWords } from "./faults";
import type { SpecDocument } from "./specText";

export function faultMarks(document: SpecDocument, text: string, faults: readonly Fault[]): Mark[] {
  return faults.map((fault) => ({
    ...(fault.field === ""
      ? lineSpan(text, fault.message)
      : fieldSpan(document, text, fault.field, isOfName(fault))),
    message: fault.field ? `${fault.field}: ${faultInWords(fault)}` : faultInWords(fault),
  }));
}

/** The field's value where it is on one line, else its name; of one that is missing, what it
 * would stand under. */
export function fieldSpan(
  document: SpecDocument,
  text: string,
  field: string,
  ofName = false,
): Pick<Mark, "from" | "to"> {
  let node: unknown = document.contents;
  let found: Pair | null = null;
  let rest = field;
  let entry: [number, number] | null = null;
  while (rest !== "") {
    if (isMap(node)) {
      const pair = pairOf(node, rest);
      if (!pair) break;
      found = pair;
      entry = null;
      rest = rest.slice(nameOf(pair).length + 1);
      node = pair.value;
    } else if (isSeq(node)) {
      const [at = ""] = rest.split(".");
      const item = node.items[Number(at)];
      const range = (item as { range?: [number, number, number] } | undefined)?.range;
      if (!range) break;
      entry = [range[0], range[1]];
      rest = rest.slice(at.length + 1);
      node = item;
    } else break;
  }
  if (entry && (isScalar(node) || rest === "")) return lineOnly(text, entry[0], entry[1]);
  if (!found || !isScalar(found.key) || !found.key.range) return lineOnly(text, 0, text.length);
  const [from, to] = found.key.range;
  if (!ofName && isScalar(node) && node.range && node.range[1] > node.range[0] && rest === "") {
    return lineOnly(text, node.range[0], node.range[1]);
  }
  return { from, to };
}

/** Whether it is the field's name that is wrong, and not what stands behind it. */
function isOfName({ message }: Fault): boolean {
  return /^is not (a known field|a field here|a \w+'s name)\.$/.test(message);
}

/** Names may hold dots themselves, so the longest one that fits is meant. */
function pairOf(holder: YAMLMap, rest: string): Pair | undefined {
  return holder.items
    .filter((each) => rest === nameOf(each) || rest.startsWith(`${nameOf(each)}.`))
    .sort((a, b) => nameOf(b).length - nameOf(a).length)[0];
}

function nameOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : "";
}

function lineOnly(text: string, from: number, to: number): Pick<Mark, "from" | "to"> {
  const end = text.indexOf("\n", from);
  return { from, to: end < 0 ? to : Math.min(to, Math.max(end, from)) };
}

/** The server reads YAML more strictly in places, and names the line. */
function lineSpan(text: string, message: string): Pick<Mark, "from" | "to"> {
  const line = lineInWords(message);
  if (line === null) return lineOnly(text, 0, text.length);
  let from = 0;
  for (let at = 1; at < line; at += 1) {
    const next = text.indexOf("\n", from);
    if (next < 0) break;
    from = next + 1;
  }
  return lineOnly(text, from, text.length);
}
