/** Asks for the name under which a view is kept: a new one, or another for one that is open. */
import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import type { SavedView } from "../api/types";
import { useViewSave } from "./queries";
import classes from "./saved.module.css";

interface Props {
  page: string;
  search: string;
  views: readonly SavedView[];
  /** The name that it has now, when it is given another. */
  before?: string;
  onDone: (name: string) => void;
}

const NAME_LETTERS_MAX = 60;

export function ViewForm({ page, search, views, before, onDone }: Props) {
  const [text, setText] = useState(before ?? "");
  const save = useViewSave(page);
  const name = text.trim();
  const replaces = name !== before && views.some((view) => view.name === name);
  // It would end the name where it stands in an address.
  const slash = name.includes("/") ? "A name cannot have a slash in it." : null;
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (!name || slash) return;
        save.mutate({ name, search, ...(before && { before }) }, { onSuccess: () => onDone(name) });
      }}
    >
      <TextInput
        label="Name of the view"
        description="Keeps the filters, the order and the columns, for you alone."
        placeholder="My failures"
        maxLength={NAME_LETTERS_MAX}
        value={text}
        data-autofocus
        error={slash ?? save.error?.message}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {replaces && <p className={classes.note}>Replaces the view of this name.</p>}
      <Button type="submit" disabled={!name || slash !== null} loading={save.isPending}>
        {before ? "Rename" : "Save view"}
      </Button>
    </form>
  );
}
