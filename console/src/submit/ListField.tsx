/** A field of the spec that is a list of words, with what may be chosen offered. */
import { TagsInput } from "@mantine/core";
import type { ReactNode } from "react";
import { faultOf, fieldId, useForm } from "./form";
import { InYaml } from "./InYaml";
import { isListAt, type Path, textsAt } from "./specText";

interface Props {
  path: Path;
  label: string;
  description?: ReactNode;
  placeholder?: string;
  offered: readonly string[];
  onSearch?: (text: string) => void;
  /** Whether a single word is written without a list. */
  alone?: boolean;
}

export function ListField(props: Props) {
  const { path, label, description, placeholder, offered, onSearch, alone = false } = props;
  const form = useForm();
  const field = path.join(".");
  const texts = textsAt(form.document, path);
  if (texts === null || new Set(texts).size !== texts.length) {
    return <InYaml field={field} label={label} />;
  }
  function write(next: string[]) {
    if (next.length === 0) form.set(path, undefined);
    else if (alone && next.length === 1 && !isListAt(form.document, path)) {
      form.set(path, next[0]);
    } else form.set(path, next);
  }
  return (
    <TagsInput
      id={fieldId(field)}
      size="sm"
      label={label}
      description={description}
      {...(texts.length === 0 && placeholder && { placeholder })}
      data={[...offered]}
      value={texts}
      onChange={write}
      {...(onSearch && { onSearchChange: onSearch })}
      acceptValueOnBlur
      splitChars={[",", " "]}
      error={faultOf(form, field, { deep: true })}
      onBlur={() => form.visit(field)}
    />
  );
}
