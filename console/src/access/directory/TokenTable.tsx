/** The tokens that directories come with: when they were last used, and a way to end one. */
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { DirectoryToken } from "../../api/types";
import { useMay } from "../../session/queries";
import { RelativeTime } from "../../time/Times";
import { Ask } from "../Ask";
import access from "../access.module.css";
import { useDirectoryTokenRevoke } from "./queries";

export function TokenTable({ tokens }: { tokens: readonly DirectoryToken[] }) {
  return (
    <table className={access.table} aria-label="Tokens of directories">
      <thead>
        <tr>
          <th scope="col">Token of</th>
          <th scope="col" data-wide>
            Made
          </th>
          <th scope="col">Last used</th>
          <th scope="col">Ends</th>
          <th scope="col">
            <span className={access.unseen}>Revoke</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {[...tokens]
          .sort((a, b) => (a.created_at < b.created_at ? 1 : -1))
          .map((token) => (
            <TokenRow key={token.id} token={token} />
          ))}
      </tbody>
    </table>
  );
}

function TokenRow({ token }: { token: DirectoryToken }) {
  const { id, account, created_at, created_by, expires_at, last_used_at } = token;
  const mayRevoke = useMay()("account:manage");
  const revoke = useDirectoryTokenRevoke(account);
  const [asking, setAsking] = useState(false);
  return (
    <tr>
      <th scope="row" title={id}>
        <Link to="/access/accounts/$name" params={{ name: account }}>
          {account}
        </Link>
      </th>
      <td data-wide data-time>
        <RelativeTime at={created_at} />
        {created_by && ` by ${created_by}`}
      </td>
      <td data-time>
        {last_used_at ? (
          <RelativeTime at={last_used_at} />
        ) : (
          <span className={access.quiet}>never</span>
        )}
      </td>
      <td data-time>{expires_at ? <RelativeTime at={expires_at} /> : "no end"}</td>
      <td data-end>
        {mayRevoke && (
          <button
            type="button"
            className={access.textButton}
            data-ends
            aria-label={`Revoke the token of ${account}, ${id}`}
            onClick={() => setAsking(true)}
          >
            Revoke
          </button>
        )}
        {asking && (
          <Ask
            title={`Revoke the token of ${account}`}
            does="Revoke token"
            keeps="Keep it"
            change={{
              ...revoke,
              mutate: (_, options) => revoke.mutate(id, options),
            }}
            onClose={() => setAsking(false)}
          >
            <p>
              A directory that comes with it is turned away from now on, and cannot disable who
              leaves. The people and groups that it brought stay as they are. It cannot be brought
              back.
            </p>
          </Ask>
        )}
      </td>
    </tr>
  );
}
