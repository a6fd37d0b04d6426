/** Sign-in by username and password, or with a provider. Shown in place, at whatever address one wanted. */
import { Button, PasswordInput, TextInput } from "@mantine/core";
import type { FormEvent } from "react";
import { isSignedOut } from "../api/problem";
import { useTitle } from "../frame/title";
import { Card } from "./Card";
import { Notice } from "./Notice";
import { useEndedEarly, useSignIn } from "./queries";
import classes from "./session.module.css";
import { startAddress, useProviders } from "./signIns";

interface Props {
  linkFailed: boolean;
  failure: string | null;
}

export function SignIn({ linkFailed, failure }: Props) {
  useTitle("Sign in");
  const signIn = useSignIn();
  const endedEarly = useEndedEarly();
  const providers = useProviders().data?.providers ?? [];
  const next = window.location.pathname + window.location.search;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    signIn.mutate({
      username: String(form.get("username")),
      password: String(form.get("password")),
    });
  }

  return (
    <Card
      title="Sign in"
      lead={
        endedEarly
          ? "Your sign-in came to its end. Sign in again to go on where you were."
          : "Use the account that you were given."
      }
    >
      <form className={classes.form} onSubmit={submit}>
        {linkFailed && !signIn.isError && (
          <Notice tone="warning">
            This sign-in link was used before or is too old. Sign in with your password, or ask for
            a new link.
          </Notice>
        )}
        {failure && !signIn.isError && <Notice tone="failed">{failure}</Notice>}
        <TextInput
          label="Username"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          required
          withAsterisk={false}
        />
        <PasswordInput
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
        />
        {signIn.isError && (
          <Notice tone="failed">
            {isSignedOut(signIn.error)
              ? "The username or the password is not right."
              : signIn.error.message}
          </Notice>
        )}
        <Button type="submit" size="sm" loading={signIn.isPending} fullWidth>
          Sign in
        </Button>
      </form>
      {providers.length > 0 && (
        <div className={classes.providers}>
          <p className={classes.or}>or</p>
          {providers.map(({ name, label }) => (
            <Button
              key={name}
              component="a"
              href={startAddress(name, next)}
              variant="default"
              size="sm"
              fullWidth
            >
              Continue with {label}
            </Button>
          ))}
        </div>
      )}
    </Card>
  );
}
