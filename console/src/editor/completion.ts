/** Completes field names and values from the schema, with what they mean beside the list. */
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { placeAt } from "./place";
import { ENTRY, fieldsAt, isNested, type Schema, valuesAt } from "./schema";
import { wordsDraw } from "./wordsDraw";

export interface Knowledge {
  schema?: Schema | undefined;
  known: Readonly<Record<string, readonly string[]>>;
}

export function completed(
  context: CompletionContext,
  { schema, known }: Knowledge,
): CompletionResult | null {
  const place = placeAt(context.state.doc.toString(), context.pos);
  if (!place || !schema) return null;
  const { path, kind, word, from } = place;
  // An empty line lists its fields only when asked; the value of a field offers itself.
  if (!context.explicit && word === "" && kind === "name") return null;
  const options: Completion[] = [];
  const isEntry = path.at(-1) === ENTRY;
  if (kind === "name" || isEntry) options.push(...names(schema, path, context, from));
  if (kind === "value") {
    const dotted = path.filter((part) => part !== ENTRY).join(".");
    for (const value of new Set([...valuesAt(schema, path), ...(known[dotted] ?? [])]))
      options.push({ label: value, type: "enum" });
  }
  return options.length > 0 ? { from, options, validFor: /^[\w.-]*$/ } : null;
}

function names(
  schema: Schema,
  path: string[],
  context: CompletionContext,
  from: number,
): Completion[] {
  const line = context.state.doc.lineAt(context.pos);
  const isNamed = /^\s*:/.test(line.text.slice(context.pos - line.from));
  const isInline = /[{,]\s*$/.test(line.text.slice(0, from - line.from));
  return fieldsAt(schema, path).map((field) => ({
    label: field.name,
    type: "property",
    apply:
      field.name + afterName(isNamed, isInline, isNested(schema, [...path, field.name]), line.text),
    info: () => wordsDraw(field),
  }));
}

/** What follows a name: nothing where the colon is there, else a colon and the next line or value. */
function afterName(isNamed: boolean, isInline: boolean, nested: boolean, line: string): string {
  if (isNamed) return "";
  if (!nested || isInline) return ": ";
  const indent = /^[\s-]*/.exec(line)?.[0].length ?? 0;
  return `:\n${" ".repeat(indent + 2)}`;
}
