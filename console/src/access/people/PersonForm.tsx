/** Adds a person. Their one-time password is shown once; they choose their own with it. */
import { Button, Checkbox, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { faultAt } from "../../api/problem";
import { Dialog, DialogActions, DialogFailure, dialogBody } from "../../frame/Dialog";
import { Once } from "../../frame/Once";
import { useIdentity } from "../../session/queries";
import { usePersonCreate } from "./queries";

export function PersonForm({ onClose }: { onClose: () => void }) {
  const { administrator } = useIdentity();
  const create = usePersonCreate();
  const [fault, setFault] = useState<string | null>(null);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const text = (name: string) => String(given.get(name) ?? "").trim();
    const username = text("username");
    setFault(username ? null : "Write the name that they sign in with.");
    if (!username) return;
    create.mutate({
      username,
      display_name: text("display_name"),
      email: text("email"),
      administrator: given.get("administrator") !== null,
    });
  }

  if (create.data?.one_time_password) {
    const { username, one_time_password } = create.data;
    return (
      <Dialog title={`${username} is added`} onClose={onClose}>
        <Once secret={one_time_password} onDone={onClose}>
          Hand this one-time password to {username}; it is not shown again. They choose their own
          when they sign in, and see nothing until somebody gives them a role.
        </Once>
      </Dialog>
    );
  }
  const nameFault = fault ?? faultAt(create.error, "username");
  const emailFault = faultAt(create.error, "email");
  return (
    <Dialog title="Add a person" onClose={onClose}>
      <form className={dialogBody} onSubmit={submit} noValidate>
        <TextInput
          label="Username"
          name="username"
          placeholder="ana"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={63}
          data-autofocus
          error={nameFault}
        />
        <TextInput label="Name" name="display_name" placeholder="Ana Silva" maxLength={200} />
        <TextInput
          label="Address"
          name="email"
          type="email"
          placeholder="ana@example.org"
          maxLength={254}
          error={emailFault}
        />
        {administrator && (
          <Checkbox
            size="xs"
            name="administrator"
            label="Administrator: may do everything, everywhere"
          />
        )}
        {create.error && !nameFault && !emailFault && (
          <DialogFailure>{create.error.message}</DialogFailure>
        )}
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave it
          </Button>
          <Button type="submit" loading={create.isPending}>
            Add person
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
