/** What an administrator does for a person: their name, their password, their sign-ins, and whether
 * they may come in at all. */
import { Button, Checkbox, Menu, TextInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import { faultAt } from "../../api/problem";
import type { PersonDetail } from "../../api/types";
import { Dialog, DialogActions, DialogFailure, dialogBody } from "../../frame/Dialog";
import { Once } from "../../frame/Once";
import { counted } from "../../quantity/words";
import { useMay } from "../../session/queries";
import { Ask } from "../Ask";
import { usePasswordReset, usePersonChange, usePersonSignOut } from "./queries";

interface Props {
  person: PersonDetail;
  /** Shows something beside the actions, or takes it away again. */
  onOnce: (shown: ReactNode) => void;
}

type Asked = "name" | "password" | "sign-out" | "disable" | null;

export function PersonActions({ person, onOnce }: Props) {
  const [asked, setAsked] = useState<Asked>(null);
  const enable = usePersonChange(person.username);
  if (!useMay()("user:administer")) return null;
  const close = () => setAsked(null);
  const local = person.source === "local";
  return (
    <>
      {person.disabled_at ? (
        <Button loading={enable.isPending} onClick={() => enable.mutate({ disabled: false })}>
          Enable
        </Button>
      ) : (
        <Button variant="default" onClick={() => setAsked("disable")}>
          Disable
        </Button>
      )}
      {local && (
        <Button variant="default" onClick={() => setAsked("password")}>
          Reset password
        </Button>
      )}
      <Menu position="bottom-end" width={208}>
        <Menu.Target>
          <Button variant="default">More</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setAsked("sign-out")}>Sign out everywhere</Menu.Item>
          {local && <Menu.Item onClick={() => setAsked("name")}>Change name or address</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      {asked === "name" && <NameDialog person={person} onClose={close} />}
      {asked === "disable" && <DisableDialog person={person} onClose={close} />}
      {asked === "sign-out" && <SignOutDialog person={person} onClose={close} />}
      {asked === "password" && (
        <PasswordDialog
          person={person}
          onClose={close}
          onReset={(password) => {
            close();
            onOnce(
              <Once secret={password} onDone={() => onOnce(null)}>
                Hand this one-time password to {person.username}; it is not shown again. They choose
                their own when they sign in.
              </Once>,
            );
          }}
        />
      )}
    </>
  );
}

interface DialogProps {
  person: PersonDetail;
  onClose: () => void;
}

/** "2 open sign-ins and 1 token" */
function heldInWords({ sign_ins, tokens }: PersonDetail): string {
  return `${counted(sign_ins, "open sign-in")} and ${counted(tokens, "token")}`;
}

function DisableDialog({ person, onClose }: DialogProps) {
  const change = usePersonChange(person.username);
  const disable = {
    ...change,
    mutate: (_: undefined, options: { onSuccess: () => void }) =>
      change.mutate({ disabled: true }, options),
  };
  return (
    <Ask
      title={`Disable ${person.username}`}
      does={`Disable ${person.username}`}
      change={disable}
      onClose={onClose}
    >
      <p>
        {heldInWords(person)} end at once, and {person.username} cannot sign in until somebody
        enables them. Their work goes on, and their roles stay.
      </p>
    </Ask>
  );
}

function PasswordDialog({
  person,
  onClose,
  onReset,
}: DialogProps & { onReset: (password: string) => void }) {
  const change = usePasswordReset(person.username);
  const reset = {
    ...change,
    mutate: () =>
      change.mutate(undefined, { onSuccess: (told) => onReset(told.one_time_password) }),
  };
  return (
    <Ask
      title={`Reset the password of ${person.username}`}
      does="Reset password"
      change={reset}
      onClose={onClose}
    >
      <p>
        Their password stops working, and {heldInWords(person)} end. You are shown a one-time
        password to hand over.
      </p>
    </Ask>
  );
}

function SignOutDialog({ person, onClose }: DialogProps) {
  const change = usePersonSignOut(person.username);
  const [tokens, setTokens] = useState(false);
  const signOut = {
    ...change,
    mutate: (_: undefined, options: { onSuccess: () => void }) => change.mutate(tokens, options),
  };
  return (
    <Ask
      title={`Sign ${person.username} out everywhere`}
      does="Sign out everywhere"
      change={signOut}
      onClose={onClose}
    >
      <p>{counted(person.sign_ins, "open sign-in")} end at once. They can sign in again.</p>
      {person.tokens > 0 && (
        <Checkbox
          size="xs"
          label={`End ${counted(person.tokens, "token")} for programs, too`}
          checked={tokens}
          onChange={(event) => setTokens(event.currentTarget.checked)}
        />
      )}
    </Ask>
  );
}

function NameDialog({ person, onClose }: DialogProps) {
  const change = usePersonChange(person.username);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    change.mutate(
      {
        display_name: String(given.get("display_name")).trim(),
        email: String(given.get("email")).trim(),
      },
      { onSuccess: onClose },
    );
  }

  return (
    <Dialog title={`Name and address of ${person.username}`} onClose={onClose}>
      <form className={dialogBody} onSubmit={submit} noValidate>
        <TextInput
          label="Name"
          name="display_name"
          defaultValue={person.display_name}
          maxLength={200}
          data-autofocus
          error={faultAt(change.error, "display_name")}
        />
        <TextInput
          label="Address"
          name="email"
          type="email"
          defaultValue={person.email}
          maxLength={254}
          error={faultAt(change.error, "email")}
        />
        {change.error && <DialogFailure>{change.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave it
          </Button>
          <Button type="submit" loading={change.isPending}>
            Save
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
