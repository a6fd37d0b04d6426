/** Makes a token of one's own or of a service account: its name, how long it is good for and what it
 * reaches, then its secret, which is shown once. */
import { Button, MultiSelect, NativeSelect, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { faultAt } from "../api/problem";
import type { Action } from "../api/types";
import { Once } from "../frame/Once";
import { Notice } from "../session/Notice";
import classes from "./account.module.css";

export interface TokenWish {
  name: string;
  expires_in_days: number | null;
  actions: Action[] | null;
  projects: string[] | null;
}

interface Props {
  create: {
    mutate: (wish: TokenWish) => void;
    data: { name: string; token: string } | undefined;
    error: Error | null;
    isPending: boolean;
  };
  /** What it may be narrowed to. */
  actions: readonly Action[];
  projects: readonly string[];
  /** Whether it may be good without an end. */
  endless?: boolean;
  onDone: () => void;
}

const lifetimes = [
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "1 year" },
];

export function TokenForm({ create, actions, projects, endless = false, onDone }: Props) {
  const [fault, setFault] = useState<string | null>(null);
  const [onlyActions, setOnlyActions] = useState<string[]>([]);
  const [onlyProjects, setOnlyProjects] = useState<string[]>([]);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const name = String(given.get("name")).trim();
    const lifetime = String(given.get("lifetime"));
    setFault(name ? null : "Name it after what will use it.");
    if (!name) return;
    create.mutate({
      name,
      expires_in_days: lifetime === "never" ? null : Number(lifetime),
      actions: onlyActions.length > 0 ? (onlyActions as Action[]) : null,
      projects: onlyProjects.length > 0 ? onlyProjects : null,
    });
  }

  if (create.data) {
    return (
      <Once secret={create.data.token} onDone={onDone}>
        <strong>{create.data.name}</strong> is made. Copy it now: it is not shown again.
      </Once>
    );
  }
  const nameFault = fault ?? faultAt(create.error, "name");
  const actionsFault = faultAt(create.error, "actions");
  const projectsFault = faultAt(create.error, "projects");
  const endFault = faultAt(create.error, "expires_in_days");
  const said = nameFault ?? actionsFault ?? projectsFault ?? endFault;
  return (
    <form className={classes.tokenForm} onSubmit={submit} noValidate aria-label="New token">
      <TextInput
        label="Name"
        name="name"
        placeholder="nightly evaluation"
        maxLength={100}
        error={nameFault}
        autoFocus
      />
      <NativeSelect
        label="Good for"
        name="lifetime"
        data={endless ? [...lifetimes, { value: "never", label: "No end" }] : lifetimes}
        defaultValue="90"
        error={endFault}
      />
      <MultiSelect
        className={classes.tokenScope ?? ""}
        label="Only to do"
        placeholder={onlyActions.length > 0 ? "" : "Everything that its owner may do"}
        data={[...actions]}
        searchable
        hidePickedOptions
        nothingFoundMessage="No such action"
        value={onlyActions}
        error={actionsFault}
        onChange={setOnlyActions}
      />
      {projects.length > 0 && (
        <MultiSelect
          className={classes.tokenScope ?? ""}
          label="Only in"
          placeholder={onlyProjects.length > 0 ? "" : "All projects that its owner can reach"}
          data={[...projects]}
          searchable
          hidePickedOptions
          nothingFoundMessage="No such project"
          value={onlyProjects}
          error={projectsFault}
          onChange={setOnlyProjects}
        />
      )}
      <div className={classes.tokenActions}>
        <Button type="submit" loading={create.isPending}>
          Create token
        </Button>
        <Button variant="default" onClick={onDone}>
          Leave it
        </Button>
      </div>
      {create.error && !said && <Notice tone="failed">{create.error.message}</Notice>}
    </form>
  );
}
