/** What is set in a folded group, on one line: "EPOCHS=10, MODE=fast · HF_TOKEN". */
import { entriesAt, isSetAt, nodeAt, type SpecDocument, textsAt } from "./specText";

const SHOWN_MAX = 3;

export function setInWords(document: SpecDocument, fields: readonly string[]): string {
  return fields
    .map((field) => fieldInWords(document, field))
    .filter(Boolean)
    .join(" · ");
}

function fieldInWords(document: SpecDocument, field: string): string {
  const path = field.split(".");
  if (!isSetAt(document, path)) return "";
  const texts = textsAt(document, path);
  if (texts) return `${wordsOf(field)}${few(texts)}`;
  const entries = entriesAt(document, path);
  if (entries) return few(entries.map(([name, value]) => `${name}=${value}`));
  const { items } = nodeAt(document, path) as { items?: unknown[] };
  return items ? `${items.length} ${field}` : field;
}

/** Lists and long texts speak for themselves; a number needs its name. */
function wordsOf(field: string): string {
  return ["image", "secrets"].includes(field) ? "" : `${field.replaceAll("_", " ")} `;
}

function few(texts: readonly string[]): string {
  const more = texts.length - SHOWN_MAX;
  return texts.slice(0, SHOWN_MAX).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
