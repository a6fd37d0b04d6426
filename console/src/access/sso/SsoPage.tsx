/** Single sign-on: the providers that people sign in with. */
import { Button } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import type { Provider } from "../../api/types";
import { EmptyState } from "../../frame/EmptyState";
import { NoPermission, PageState } from "../../frame/PageState";
import { counted } from "../../quantity/words";
import { useMay } from "../../session/queries";
import { RelativeTime } from "../../time/Times";
import classes from "../access.module.css";
import { useAccessSearch } from "../search";
import { ProviderForm } from "./ProviderForm";
import { useProviders } from "./queries";
import { groupsInWords } from "./words";

export default function SsoPage() {
  if (!useMay()("provider:set")) return <NoPermission what="single sign-on" />;
  return <Providers />;
}

function Providers() {
  const providers = useProviders();
  const [{ form }, change] = useAccessSearch();
  const navigate = useNavigate();
  if (!providers.data) return <PageState query={providers} what="sign-in providers" />;
  if (form === "provider") {
    return (
      <ProviderForm
        onDone={({ name }) => void navigate({ to: "/access/sso/$name", params: { name } })}
        onLeave={() => change({ form: "" })}
      />
    );
  }
  const add = <Button onClick={() => change({ form: "provider" })}>Add a provider</Button>;
  if (providers.data.length === 0) {
    return (
      <EmptyState
        title="People sign in with a password only"
        sentence="With the provider of your organisation, they sign in as they do everywhere, and its groups decide what they may do here."
        example="podium sso add corp --issuer https://login.example.com --client-id podium --client-secret-stdin < secret.txt"
        action={add}
      />
    );
  }
  return (
    <>
      <div className={classes.bar}>
        <span className={classes.count}>{counted(providers.data.length, "provider")}</span>
        {add}
      </div>
      <table className={classes.table} aria-label="Sign-in providers">
        <thead>
          <tr>
            <th scope="col">Provider</th>
            <th scope="col" data-wide>
              Issuer
            </th>
            <th scope="col" data-wide>
              Groups
            </th>
            <th scope="col">People</th>
            <th scope="col">Open sign-ins</th>
            <th scope="col" data-wide>
              Last
            </th>
          </tr>
        </thead>
        <tbody>
          {providers.data.map((provider) => (
            <ProviderRow key={provider.name} provider={provider} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function ProviderRow({ provider }: { provider: Provider }) {
  const { name, label, issuer, people = 0, sign_ins = 0, last_sign_in_at } = provider;
  return (
    <tr>
      <th scope="row">
        <Link to="/access/sso/$name" params={{ name }}>
          {label}
        </Link>
        {label !== name && <p className={classes.under}>{name}</p>}
      </th>
      <td data-wide>{issuer}</td>
      <td data-wide>{groupsInWords(provider)}</td>
      <td data-number>{people.toLocaleString("en")}</td>
      <td data-number>{sign_ins.toLocaleString("en")}</td>
      <td data-wide data-time>
        {last_sign_in_at ? (
          <RelativeTime at={last_sign_in_at} />
        ) : (
          <span className={classes.quiet}>none open</span>
        )}
      </td>
    </tr>
  );
}
