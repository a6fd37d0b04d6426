/** Tokens of one's own or of a service account, latest used first. */
import { Button, Popover } from "@mantine/core";
import { useState } from "react";
import type { Token } from "../api/types";
import { RelativeTime } from "../time/Times";
import classes from "./account.module.css";

interface Revoking {
  /** What ends the token of an id. */
  revoke: {
    mutate: (id: string) => void;
    variables: string | undefined;
    isPending: boolean;
    error: Error | null;
  };
}

export function TokenTable({ tokens, revoke }: Revoking & { tokens: readonly Token[] }) {
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
          <TokenRow key={token.id} token={token} revoke={revoke} />
        ))}
      </tbody>
    </table>
  );
}

function lastSeen({ last_used_at, created_at }: Token): string {
  return last_used_at ?? created_at;
}

/** "Only workload:read, in vision"; nothing where it does all that its owner may do. */
export function scopeInWords({ actions, projects }: Token): string {
  const parts = [actions?.join(", "), projects && `in ${projects.join(", ")}`].filter(Boolean);
  return parts.length > 0 ? `Only ${parts.join(", ")}` : "";
}

function TokenRow({ token, revoke }: Revoking & { token: Token }) {
  const scope = scopeInWords(token);
  return (
    <tr>
      <td className={classes.tokenName} title={token.id}>
        {token.name}
        {scope && <p className={classes.scope}>{scope}</p>}
      </td>
      <td className={classes.wide}>
        <RelativeTime at={token.created_at} />
      </td>
      <td>{token.last_used_at ? <RelativeTime at={token.last_used_at} /> : "never"}</td>
      <td>{token.expires_at ? <RelativeTime at={token.expires_at} /> : "no end"}</td>
      <td className={classes.tokenEnd}>
        <Revoke token={token} revoke={revoke} />
      </td>
    </tr>
  );
}

function Revoke({ token, revoke }: Revoking & { token: Token }) {
  const [asking, setAsking] = useState(false);
  const mine = revoke.variables === token.id;
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
        {mine && revoke.error && <p role="alert">{revoke.error.message}</p>}
        <div className={classes.askingActions}>
          <Button variant="default" onClick={() => setAsking(false)}>
            Keep it
          </Button>
          <Button
            className={classes.destructive}
            loading={mine && revoke.isPending}
            onClick={() => revoke.mutate(token.id)}
          >
            Revoke token
          </Button>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
