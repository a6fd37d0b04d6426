/** A short text that is changed where it stands: enter keeps it, escape leaves it as it was. */
import { TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import classes from "./access.module.css";

interface Props {
  /** "Cost centre of vision" */
  label: string;
  value: string;
  /** What stands there where nothing is set. */
  empty: string;
  editable: boolean;
  change: {
    mutate: (value: string, options: { onSuccess: () => void }) => void;
    isPending: boolean;
    error: Error | null;
    reset: () => void;
  };
}

export function InPlace({ label, value, empty, editable, change }: Props) {
  const [text, setText] = useState<string | null>(null);
  const shown = value || <span className={classes.quiet}>{empty}</span>;
  if (!editable) return shown;
  if (text === null) {
    return (
      <button
        type="button"
        className={classes.inPlace}
        aria-label={`Change ${label}: ${value || empty}`}
        onClick={() => setText(value)}
      >
        {shown}
      </button>
    );
  }
  const leave = () => {
    setText(null);
    change.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === value) leave();
    else change.mutate(text.trim(), { onSuccess: leave });
  };
  return (
    <form onSubmit={submit} className={classes.inPlaceForm}>
      <TextInput
        size="xs"
        aria-label={label}
        maxLength={63}
        autoFocus
        value={text}
        disabled={change.isPending}
        error={change.error?.message}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") leave();
        }}
        onBlur={() => {
          if (text.trim() === value) leave();
        }}
      />
      <button type="submit" className={classes.textButton}>
        Save
      </button>
      <button type="button" className={classes.textButton} onClick={leave}>
        Leave it
      </button>
    </form>
  );
}
