/** Changes one's own password; every other sign-in ends with it. */
import { Button, PasswordInput } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { faultAt } from "../api/problem";
import { passwordFault } from "../session/NewPassword";
import { Notice } from "../session/Notice";
import { useIdentity, usePasswordChange } from "../session/queries";
import classes from "./account.module.css";
import { Section } from "./Section";

export function Password() {
  const { username, source } = useIdentity();
  const change = usePasswordChange();
  const [fault, setFault] = useState<string | null>(null);
  const form = useRef<HTMLFormElement>(null);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const chosen = String(given.get("new"));
    const found = passwordFault(chosen);
    setFault(found);
    if (found) return;
    change.mutate(
      { current: String(given.get("current")), new: chosen },
      { onSuccess: () => form.current?.reset() },
    );
  }

  const newFault = fault ?? faultAt(change.error, "new");
  const currentFault = fault ? null : faultAt(change.error, "current");
  return (
    <Section
      title="Password"
      sentence="Every other sign-in and token of yours ends when you change it."
    >
      {source !== "local" && (
        <p className={classes.note}>
          Your account came through single sign-on, which keeps your password.
        </p>
      )}
      <form
        ref={form}
        className={classes.form}
        onSubmit={submit}
        hidden={source !== "local"}
        noValidate
      >
        <input hidden autoComplete="username" value={username} readOnly />
        <PasswordInput
          label="Current password"
          name="current"
          autoComplete="current-password"
          error={currentFault}
        />
        <PasswordInput
          label="New password"
          name="new"
          autoComplete="new-password"
          description="At least 10 characters."
          error={newFault}
        />
        {change.isError && !newFault && !currentFault && (
          <Notice tone="failed">{change.error.message}</Notice>
        )}
        <div className={classes.formActions}>
          <Button type="submit" variant="default" loading={change.isPending}>
            Change password
          </Button>
          <span role="status" className={classes.done}>
            {change.isSuccess ? "Your password is changed." : ""}
          </span>
        </div>
      </form>
    </Section>
  );
}
