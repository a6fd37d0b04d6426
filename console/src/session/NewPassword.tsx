/** Asks for a password of one's own, before anything else, after a one-time password. */
import { Button, PasswordInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { faultAt } from "../api/problem";
import { useTitle } from "../frame/title";
import { Card } from "./Card";
import { usePasswordChange, useSignOut } from "./queries";
import classes from "./session.module.css";

const PASSWORD_LENGTH_MIN = 10;

export function NewPassword({ username }: { username: string }) {
  useTitle("Set a password");
  const change = usePasswordChange();
  const signOut = useSignOut();
  const [fault, setFault] = useState<{ field: "new" | "again"; message: string } | null>(null);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [current, chosen, again] = ["current", "new", "again"].map((name) =>
      String(form.get(name)),
    ) as [string, string, string];
    const found = passwordFault(chosen, again);
    setFault(found);
    if (!found) change.mutate({ current, new: chosen });
  }

  const newFault = fault?.field === "new" ? fault.message : faultAt(change.error, "new");
  const currentFault = faultAt(change.error, "current");
  return (
    <Card
      title="Set a password"
      lead={`You are signed in as ${username} with a one-time password.`}
    >
      <form className={classes.form} onSubmit={submit} noValidate>
        <input className={classes.hidden} autoComplete="username" value={username} readOnly />
        <PasswordInput
          label="One-time password"
          name="current"
          autoComplete="current-password"
          error={currentFault}
          autoFocus
        />
        <PasswordInput
          label="New password"
          name="new"
          autoComplete="new-password"
          description={`At least ${PASSWORD_LENGTH_MIN} characters.`}
          error={newFault}
        />
        <PasswordInput
          label="New password again"
          name="again"
          autoComplete="new-password"
          error={fault?.field === "again" ? fault.message : null}
        />
        {change.isError && !newFault && !currentFault && (
          <p className={classes.failure} role="alert">
            {change.error.message}
          </p>
        )}
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

export function passwordFault(
  chosen: string,
  again: string,
): { field: "new" | "again"; message: string } | null {
  if ([...chosen].length < PASSWORD_LENGTH_MIN) {
    return {
      field: "new",
      message: `Has ${[...chosen].length} characters; write ${PASSWORD_LENGTH_MIN} or more.`,
    };
  }
  if (chosen !== again) {
    return { field: "again", message: "Differs from the one above; write the same twice." };
  }
  return null;
}
