/** Reads a JSON Schema for a person: which fields a place has, what they mean, what may stand. */

export interface Schema {
  type?: string | string[];
  title?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  examples?: unknown[];
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  required?: string[];
  minimum?: number;
  maximum?: number;
  $ref?: string;
  $defs?: Record<string, Schema>;
  [more: string]: unknown;
}

/** Stands for any entry of a list in a path. */
export const ENTRY = "*";

export interface FieldWords {
  name: string;
  description: string;
  /** How it is written: "a number 0 to 100; low, normal, high". */
  written: string;
  examples: unknown[];
}

/** The schemas that may hold at a place; none for a place that the schema does not know. */
export function schemasAt(root: Schema, path: readonly string[]): Schema[] {
  let here = opened(root, root);
  for (const part of path) {
    here = here.flatMap((each) => {
      const next = part === ENTRY ? each.items : each.properties?.[part];
      return next ? opened(root, next) : [];
    });
  }
  return here;
}

export function fieldsAt(root: Schema, path: readonly string[]): FieldWords[] {
  const found = new Map<string, FieldWords>();
  for (const schema of schemasAt(root, path)) {
    for (const name of Object.keys(schema.properties ?? {})) {
      const words = fieldWords(root, [...path, name]);
      if (words && !found.has(name)) found.set(name, words);
    }
  }
  return [...found.values()];
}

export function fieldWords(root: Schema, path: readonly string[]): FieldWords | null {
  const name = path.at(-1);
  const outer = schemasAt(root, path.slice(0, -1));
  const own = name && outer.map((each) => each.properties?.[name]).find((each) => each);
  if (!name || !own) return null;
  const choices = opened(root, own);
  const description = own.description ?? choices.find((each) => each.description)?.description;
  return {
    name,
    description: description ?? "",
    written: [...new Set(choices.map(writtenAs).filter(Boolean))].join("; "),
    examples: own.examples ?? choices.flatMap((each) => each.examples ?? []),
  };
}

/** The values that may stand at a place, where the schema names them. */
export function valuesAt(root: Schema, path: readonly string[]): string[] {
  return schemasAt(root, path).flatMap(({ enum: names, const: only, type }) => {
    if (names) return names.map(String);
    if (only !== undefined) return [String(only)];
    return type === "boolean" || (Array.isArray(type) && type.join() === "boolean,null")
      ? ["true", "false"]
      : [];
  });
}

/** True where a place holds fields of its own, or a list: what goes on in lines below it. */
export function isNested(root: Schema, path: readonly string[]): boolean {
  const kinds = schemasAt(root, path).map(({ type }) => type);
  return kinds.length > 0 && kinds.every((type) => type === "object" || type === "array");
}

/** A schema's choices, references followed; that it may be null goes without saying. */
function opened(root: Schema, schema: Schema): Schema[] {
  if (schema.$ref) {
    const found = root.$defs?.[schema.$ref.split("/").at(-1) ?? ""];
    return found ? opened(root, found) : [];
  }
  if (schema.anyOf) return schema.anyOf.flatMap((each) => opened(root, each));
  return schema.type === "null" ? [] : [schema];
}

function writtenAs({ type, enum: names, const: only, minimum, maximum }: Schema): string {
  if (names) return names.join(", ");
  if (only !== undefined) return String(only);
  const kinds = (Array.isArray(type) ? type : [type]).filter((each) => each && each !== "null");
  return kinds
    .map((kind) => {
      if (kind === "integer" || kind === "number") {
        if (minimum !== undefined && maximum !== undefined)
          return `a number ${minimum} to ${maximum}`;
        return "a number";
      }
      if (kind === "string") return "text";
      if (kind === "boolean") return "true or false";
      return kind === "array" ? "a list" : "a map";
    })
    .join(" or ");
}
