/** Where I am signed in: each sign-in with where it came from, and the way to end one or all. */
import { Button } from "@mantine/core";
import { useState } from "react";
import type { Token } from "../api/types";
import { PageState } from "../frame/PageState";
import { useSignOut } from "../session/queries";
import { useSignOutEverywhere } from "../session/signIns";
import { RelativeTime } from "../time/Times";
import classes from "./account.module.css";
import { agentInWords } from "./agent";
import { useTokenRevoke, useTokens } from "./queries";
import { Section } from "./Section";

export function Sessions() {
  const tokens = useTokens();
  const sessions = tokens.data?.items.filter(({ kind }) => kind !== "token");
  return (
    <Section
      title="Sign-ins"
      sentence="Browsers and command lines that are signed in as you. End one that you do not know, then change your password."
    >
      {sessions ? (
        <>
          <table className={classes.table}>
            <thead>
              <tr>
                <th>Where</th>
                <th className={classes.wide}>Signed in</th>
                <th>Last used</th>
                <th>
                  <span className={classes.unseen}>End</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {sessions.toSorted(byUse).map((session) => (
                <SessionRow key={session.id} session={session} />
              ))}
            </tbody>
          </table>
          {sessions.length > 1 && <Everywhere />}
        </>
      ) : (
        <PageState query={tokens} what="sign-ins" rows={3} />
      )}
    </Section>
  );
}

/** This one first, then as they were used last. */
function byUse(one: Token, other: Token): number {
  if (one.current !== other.current) return one.current ? -1 : 1;
  return lastSeen(one) < lastSeen(other) ? 1 : -1;
}

function lastSeen({ last_used_at, created_at }: Token): string {
  return last_used_at ?? created_at;
}

function SessionRow({ session }: { session: Token }) {
  const end = useTokenRevoke();
  const signOut = useSignOut();
  const { kind, name, provider, source, user_agent, current } = session;
  const program = kind === "device" ? name : agentInWords(user_agent ?? "") || name;
  const from = [source, provider && `through ${provider}`].filter(Boolean).join(", ");
  return (
    <tr>
      <td className={classes.where}>
        <span className={classes.program} title={user_agent || undefined}>
          {program}
        </span>
        {current && <span className={classes.mark}>this one</span>}
        <span className={classes.from}>{from || "from an unknown address"}</span>
      </td>
      <td className={classes.wide}>
        <RelativeTime at={session.created_at} />
      </td>
      <td>
        <RelativeTime at={lastSeen(session)} />
      </td>
      <td className={classes.tokenEnd}>
        <button
          type="button"
          className={classes.revoke}
          aria-label={current ? "Sign out here" : `End the sign-in of ${program}`}
          disabled={end.isPending || signOut.isPending}
          onClick={() => (current ? signOut.mutate() : end.mutate(session.id))}
        >
          {current ? "Sign out" : "End"}
        </button>
        {end.isError && <p role="alert">{end.error.message}</p>}
      </td>
    </tr>
  );
}

function Everywhere() {
  const [asking, setAsking] = useState(false);
  const everywhere = useSignOutEverywhere();
  if (!asking) {
    return (
      <div>
        <Button variant="default" onClick={() => setAsking(true)}>
          Sign out everywhere
        </Button>
      </div>
    );
  }
  return (
    <div className={classes.sure}>
      <p>
        All of these end at once, this one too. Tokens for programs go on, and so does what runs.
      </p>
      {everywhere.isError && <p role="alert">{everywhere.error.message}</p>}
      <div className={classes.formActions}>
        <Button
          className={classes.destructive}
          loading={everywhere.isPending}
          onClick={() => everywhere.mutate()}
          autoFocus
        >
          Sign out everywhere
        </Button>
        <Button variant="default" onClick={() => setAsking(false)}>
          Stay signed in
        </Button>
      </div>
    </div>
  );
}
