/** Asks for a password of one's own, before anything else, after a one-time sign-in. */
import { Button, PasswordInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { faultAt } from "../api/problem";
import { useTitle } from "../frame/title";
import { Card } from "./Card";
import { Notice } from "./Notice";
import { usePasswordChange, useSignOut } from "./queries";
import classes from "./session.module.css";

const PASSWORD_LENGTH_MIN = 10;

export function NewPassword({ username }: { username: string }) {
  useTitle("Set a password");
  const change = usePasswordChange();
  const signOut = useSignOut();
  const [fault, setFault] = useState<string | null>(null);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const chosen = String(new FormData(event.currentTarget).get("new"));
    const found = passwordFault(chosen);
    setFault(found);
    if (!found) change.mutate({ new: chosen });
  }

  const newFault = fault ?? faultAt(change.error, "new");
  return (
    <Card
      title="Set a password"
      lead={`You are signed in as ${username}. Choose the password that you sign in with from now on.`}
    >
      <form className={classes.form} onSubmit={submit} noValidate>
        {/* For the password keeper of the browser. */}
        <input hidden autoComplete="username" value={username} readOnly />
        <PasswordInput
          label="New password"
          name="new"
          autoComplete="new-password"
          description={`At least ${PASSWORD_LENGTH_MIN} characters.`}
          error={newFault}
          autoFocus
        />
        {change.isError && !newFault && <Notice tone="failed">{change.error.message}</Notice>}
        <Button type="submit" size="sm" loading={change.isPending} fullWidth>
          Set password
        </Button>
        <Button variant="subtle" size="sm" onClick={() => signOut.mutate()} fullWidth>
          Sign out
        </Button>
      </form>
    </Card>
  );
}

export function passwordFault(chosen: string): string | null {
  const length = [...chosen].length;
  if (length >= PASSWORD_LENGTH_MIN) return null;
  return length === 0
    ? `Write ${PASSWORD_LENGTH_MIN} characters or more.`
    : `Has ${length} characters; write ${PASSWORD_LENGTH_MIN} or more.`;
}
