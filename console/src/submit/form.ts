/** What every field of the form reads and writes; SubmitDesk provides it. */
import { createContext, useContext } from "react";
import { type Fault, faultInWords, isToCome, isWithin } from "./faults";
import { type Path, type Plain, type SpecDocument, textAt } from "./specText";
import type { Foretold } from "./useDryRun";

export interface Form {
  document: SpecDocument;
  set: (path: Path, value: Plain | undefined) => void;
  /** Several changes at once, in their order. */
  setAll: (changes: readonly [Path, Plain | undefined][]) => void;
  rename: (path: Path, name: string) => void;
  faults: readonly Fault[];
  /** Fields that one has been in: what is missing there is no news to come but a fault. */
  visited: ReadonlySet<string>;
  visit: (field: string) => void;
  /** With every default, as the server last answered. */
  resolved: Record<string, unknown> | null;
  /** Shows a field in the YAML. */
  showInYaml: (field: string) => void;
  project: string | undefined;
  foretold: Foretold;
}

export const FormContext = createContext<Form | null>(null);

export function useForm(): Form {
  const form = useContext(FormContext);
  if (!form) throw new Error("useForm is used outside of the form.");
  return form;
}

/** What is wrong with a field, or with anything in it when it has no fields of its own here. */
export function faultOf(form: Form, field: string, { deep = false } = {}): string | undefined {
  const found = form.faults.filter(
    (each) =>
      (deep ? isWithin(each.field, field) : each.field === field) &&
      (!isToCome(each) || form.visited.has(field)),
  );
  return found.length > 0
    ? found
        .map((each) =>
          each.field === field
            ? faultInWords(each)
            : `${each.field.slice(field.length + 1)}: ${faultInWords(each)}`,
        )
        .join(" ")
    : undefined;
}

export function fieldId(field: string): string {
  return `field-${field.replaceAll(/[^\w.-]/g, "_")}`;
}

/** What the server would take for a field that is left out, to stand in it faintly. */
export function defaultOf(form: Form, path: Path): string | undefined {
  if (textAt(form.document, path) !== "") return undefined;
  const value = path.reduce<unknown>(
    (inner, part) => (inner as Record<string, unknown> | undefined)?.[part],
    form.resolved ?? undefined,
  );
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

/** A number where the letters are just that number; else the text, which may be on its way. */
export function plainOf(text: string): string | number {
  return /^-?(0|[1-9]\d{0,14})(\.\d{1,6})?$/.test(text) && String(Number(text)) === text
    ? Number(text)
    : text;
}
