/** Makes a role of the organisation's own, or changes it for everybody who has it. */
import { Button, Checkbox, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { faultAt } from "../../api/problem";
import type { Action, KnownAction, Role } from "../../api/types";
import { counted } from "../../quantity/words";
import { Notice } from "../../session/Notice";
import { useMay } from "../../session/queries";
import classes from "../access.module.css";
import { byResource } from "../actions";
import { useRoleSet } from "../queries";
import { resourceInWords } from "../words";
import matrix from "./roles.module.css";

interface Props {
  /** What is changed; a new one is made without it. */
  role: Role | undefined;
  /** What a new one begins with. */
  base: Role | undefined;
  actions: readonly KnownAction[];
  onDone: (role: string) => void;
  onLeave: () => void;
}

export function RoleEditor({ role, base, actions, onDone, onLeave }: Props) {
  const may = useMay();
  const save = useRoleSet();
  const [name, setName] = useState(role?.name ?? "");
  const [description, setDescription] = useState((role ?? base)?.description ?? "");
  const [held, setHeld] = useState(
    () => new Set<Action>((role ?? base)?.actions.filter((each) => role || may(each)) ?? []),
  );
  const [fault, setFault] = useState<string | null>(null);

  function submit(event: FormEvent) {
    event.preventDefault();
    const wanted = name.trim();
    setFault(wanted ? null : "Name it after what it is for.");
    if (!wanted) return;
    save.mutate(
      { name: wanted, description: description.trim(), actions: [...held] },
      { onSuccess: () => onDone(wanted) },
    );
  }

  function turn(action: Action, on: boolean) {
    const next = new Set(held);
    if (on) next.add(action);
    else next.delete(action);
    setHeld(next);
  }

  const nameFault = fault ?? faultAt(save.error, "name") ?? faultAt(save.error, "role");
  return (
    <form className={matrix.editor} onSubmit={submit} noValidate aria-label="Role">
      <header>
        <h2>{role ? `Change ${role.name}` : "New role"}</h2>
        <p>
          {role?.bindings
            ? `It is given ${counted(role.bindings, "time")}; a change holds for all of them at once.`
            : "A role is a set of things that may be done. Give it to people or groups afterwards."}
        </p>
      </header>
      <div className={matrix.names}>
        <TextInput
          label="Name"
          placeholder="log-reader"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={63}
          autoFocus={!role}
          readOnly={role !== undefined}
          value={name}
          error={nameFault}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="What it is for"
          placeholder="Reads logs and nothing else."
          maxLength={300}
          value={description}
          error={faultAt(save.error, "description")}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
      </div>
      <div className={matrix.choices}>
        {byResource(actions).map(({ resource, items }) => (
          <fieldset key={resource}>
            <legend>{resourceInWords(resource)}</legend>
            {items.map(({ action, about, with_any_role: always }) => (
              <Checkbox
                key={action}
                size="xs"
                label={about}
                description={
                  always
                    ? `${action} · every role includes it`
                    : may(action)
                      ? action
                      : `${action} · you may not do it yourself`
                }
                checked={always || held.has(action)}
                disabled={always || (!may(action) && !held.has(action))}
                onChange={(event) => turn(action, event.currentTarget.checked)}
              />
            ))}
          </fieldset>
        ))}
      </div>
      {save.error && !nameFault && <Notice tone="failed">{save.error.message}</Notice>}
      <footer className={classes.actions}>
        <Button type="submit" loading={save.isPending}>
          {role ? "Save role" : "Make role"}
        </Button>
        <Button variant="default" onClick={onLeave}>
          Leave it
        </Button>
      </footer>
    </form>
  );
}
