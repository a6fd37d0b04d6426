/** A field of the spec that is one text or number. */
import { Textarea, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { defaultOf, faultOf, fieldId, plainOf, useForm } from "./form";
import { InYaml } from "./InYaml";
import { type Path, textAt } from "./specText";
import classes from "./submit.module.css";

interface Props {
  path: Path;
  label: string;
  /** Whether the label is said to screen readers only. */
  unlabelled?: boolean;
  description?: ReactNode;
  placeholder?: string;
  /** Whether digits are written as a number. */
  numeric?: boolean;
  mono?: boolean;
  /** At least so many lines; one line alone when left out. */
  lines?: number;
  required?: boolean;
}

export function TextField(props: Props) {
  const { path, label, description, placeholder, numeric, mono, lines, required, unlabelled } =
    props;
  const form = useForm();
  const field = path.join(".");
  const text = textAt(form.document, path);
  if (text === null) return <InYaml field={field} label={label} />;
  const fallBack = defaultOf(form, path);
  const shared = {
    id: fieldId(field),
    ...(unlabelled ? { "aria-label": label } : { label, withAsterisk: required ?? false }),
    description,
    placeholder: fallBack ? `${fallBack} by default` : placeholder,
    value: text,
    error: faultOf(form, field),
    "aria-required": required,
    autoComplete: "off",
    spellCheck: false,
    classNames: { input: mono ? classes.mono : "" },
    onBlur: () => form.visit(field),
  };
  const write = (next: string) =>
    form.set(path, next === "" ? undefined : numeric ? plainOf(next) : next);
  return lines ? (
    <Textarea
      {...shared}
      autosize
      minRows={lines}
      maxRows={16}
      onChange={(event) => write(event.currentTarget.value)}
    />
  ) : (
    <TextInput {...shared} onChange={(event) => write(event.currentTarget.value)} />
  );
}
