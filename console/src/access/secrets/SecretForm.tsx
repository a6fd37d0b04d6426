/** Sets a secret, or puts another value in place of the one it has. */
import { Button, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { faultAt } from "../../api/problem";
import { Dialog, DialogActions, DialogFailure, dialogBody } from "../../frame/Dialog";
import { counted } from "../../quantity/words";
import { useSecretSet } from "./queries";

interface Props {
  project: string;
  /** The one to replace. */
  name?: string;
  /** How many workloads name it and have not ended. */
  used?: number;
  onClose: () => void;
}

export function SecretForm({ project, name: held, used = 0, onClose }: Props) {
  const save = useSecretSet(project);
  const [faults, setFaults] = useState<{ name?: string; value?: string }>({});

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const name = held ?? String(given.get("name")).trim();
    const value = String(given.get("value"));
    setFaults({
      ...(name === "" && { name: "Write a name, like HF_TOKEN." }),
      ...(value === "" && { value: "Write or paste the value." }),
    });
    if (name && value) save.mutate({ name, value }, { onSuccess: onClose });
  }

  const nameFault = faults.name ?? faultAt(save.error, "name");
  const valueFault = faults.value ?? faultAt(save.error, "value");
  return (
    <Dialog title={held ? `Replace ${held}` : `Set a secret of ${project}`} onClose={onClose}>
      <form className={dialogBody} onSubmit={submit} noValidate autoComplete="off">
        {held ? (
          <p>
            The value that it has now is gone afterwards.{" "}
            {used > 0 &&
              `${counted(used, "workload names", "workloads name")} it: what runs keeps what it was given, what starts later gets the new value.`}
          </p>
        ) : (
          <TextInput
            label="Name"
            name="name"
            description="A secret that has this name already is replaced."
            placeholder="HF_TOKEN"
            autoCapitalize="none"
            spellCheck={false}
            data-autofocus
            error={nameFault}
          />
        )}
        <Textarea
          label="Value"
          name="value"
          description="Sealed when it is kept, and never shown again."
          rows={3}
          spellCheck={false}
          autoComplete="off"
          styles={{ input: { fontFamily: "var(--mono)" } }}
          {...(held && { "data-autofocus": true })}
          error={valueFault}
        />
        {save.error && !nameFault && !valueFault && (
          <DialogFailure>{save.error.message}</DialogFailure>
        )}
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave it
          </Button>
          <Button type="submit" loading={save.isPending}>
            {held ? "Replace value" : "Set secret"}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
