/** The text filter of a list: what is typed is asked for after a moment, and `/` leads to it. */
import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { type RefObject, useEffect, useState } from "react";
import classes from "./frame.module.css";
import { SearchIcon } from "./icons";

interface Props {
  /** What it looks in, for who cannot see the hint. */
  name: string;
  hint: string;
  value: string;
  onChange: (value: string) => void;
  inputRef: RefObject<HTMLInputElement | null>;
}

const SETTLE_MS = 250;

export function SearchField({ name, hint, value, onChange, inputRef }: Props) {
  const [text, setText] = useState(value);
  const settle = useDebouncedCallback(onChange, SETTLE_MS);
  useEffect(() => setText(value), [value]);
  return (
    <TextInput
      ref={inputRef}
      className={classes.searchField}
      size="xs"
      type="search"
      aria-label={name}
      placeholder={hint}
      leftSection={<SearchIcon />}
      rightSection={text === "" ? <kbd className={classes.key}>/</kbd> : null}
      rightSectionPointerEvents="none"
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        settle(event.currentTarget.value.trim());
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") event.currentTarget.blur();
      }}
    />
  );
}
