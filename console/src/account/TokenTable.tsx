/** The tokens that can sign in as me, latest used first. */
import { Button, Popover } from "@mantine/core";
import { useState } from "react";
import type { Token } from "../api/types";
import { Copyable } from "../frame/Copyable";
import { RelativeTime } from "../time/Times";
import classes from "./account.module.css";
import { useTokenRevoke } from "./queries";

export function TokenTable({ tokens }: { tokens: readonly Token[] }) {
  if (tokens.length === 0) {
    return (
      <p className={classes.note}>
        No tokens yet. Make one for a script, and hand it over as <Copyable text="PODIUM_TOKEN" />.
      </p>
    );
  }
  const sorted = [...tokens].sort((a, b) => (lastSeen(a) < lastSeen(b) ? 1 : -1));
  return (
    <table className={classes.table}>
      <thead>
        <tr>
          <th>Name</th>
          <th className={classes.wide}>Created</th>
          <th>Last used</th>
          <th>Ends</th>
          <th>
            <span className={classes.unseen}>Revoke</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {sorted.map((token) => (
          <TokenRow key={token.id} token={token} />
        ))}
      </tbody>
    </table>
  );
}

function lastSeen({ last_used_at, created_at }: Token): string {
  return last_used_at ?? created_at;
}

function TokenRow({ token }: { token: Token }) {
  return (
    <tr>
      <td className={classes.tokenName} title={token.id}>
        {token.name}
      </td>
      <td className={classes.wide}>
        <RelativeTime at={token.created_at} />
      </td>
      <td>{token.last_used_at ? <RelativeTime at={token.last_used_at} /> : "never"}</td>
      <td>{token.expires_at ? <RelativeTime at={token.expires_at} /> : "no end"}</td>
      <td className={classes.tokenEnd}>
        <Revoke token={token} />
      </td>
    </tr>
  );
}

function Revoke({ token }: { token: Token }) {
  const [asking, setAsking] = useState(false);
  const revoke = useTokenRevoke();
  return (
    <Popover
      opened={asking}
      onChange={setAsking}
      position="bottom-end"
      width={288}
      trapFocus
      returnFocus
      shadow="none"
    >
      <Popover.Target>
        <button
          type="button"
          className={classes.revoke}
          aria-label={`Revoke ${token.name}`}
          onClick={() => setAsking(!asking)}
        >
          Revoke
        </button>
      </Popover.Target>
      <Popover.Dropdown className={classes.asking}>
        <p>
          What signs in with {token.name} is turned away from now on. It cannot be brought back.
        </p>
        {revoke.isError && <p role="alert">{revoke.error.message}</p>}
        <div className={classes.askingActions}>
          <Button variant="default" onClick={() => setAsking(false)}>
            Keep it
          </Button>
          <Button
            className={classes.destructive}
            loading={revoke.isPending}
            onClick={() => revoke.mutate(token.id)}
          >
            Revoke token
          </Button>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
