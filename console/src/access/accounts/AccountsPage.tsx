/** Service accounts: who programs are, where they belong, and how many tokens they have. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useRef, useState } from "react";
import { faultAt } from "../../api/problem";
import type { ServiceAccount } from "../../api/types";
import { Dialog, DialogActions, DialogFailure, dialogBody } from "../../frame/Dialog";
import { EmptyState } from "../../frame/EmptyState";
import { NoPermission, PageState } from "../../frame/PageState";
import { SearchField } from "../../frame/SearchField";
import { ShowMore } from "../../frame/ShowMore";
import { useMay, useMaySomewhere } from "../../session/queries";
import classes from "../access.module.css";
import { usePlaces } from "../PlaceFields";
import { useAccessSearch } from "../search";
import { useAccountCreate, useAccounts } from "./queries";

export default function AccountsPage() {
  const sees = useMay()("user:read");
  const manages = useMaySomewhere()("account:manage");
  if (!sees && !manages) return <NoPermission what="service accounts" />;
  return <Accounts manages={manages} />;
}

function Accounts({ manages }: { manages: boolean }) {
  const [{ q = "", target, form }, change] = useAccessSearch();
  const accounts = useAccounts(q, target);
  const searchRef = useRef<HTMLInputElement>(null);
  const make = manages && (
    <Button onClick={() => change({ form: "account" })}>New service account</Button>
  );
  const filtered = q !== "" || target !== undefined;
  return (
    <>
      {form === "account" && <AccountForm project={target} onClose={() => change({ form: "" })} />}
      <search className={classes.bar} aria-label="Filter service accounts">
        <SearchField
          name="Search service accounts"
          hint="Name"
          value={q}
          inputRef={searchRef}
          onChange={(next) => change({ q: next })}
        />
        {target && (
          <button
            type="button"
            className={classes.textButton}
            onClick={() => change({ target: "" })}
          >
            Project {target} ✕
          </button>
        )}
        {make}
      </search>
      {!accounts.items && <PageState query={accounts} what="service accounts" />}
      {accounts.items?.length === 0 && (
        <EmptyState
          title={filtered ? "Nothing matches" : "No service accounts yet"}
          sentence={
            filtered
              ? "No service account that you can see has all that the filters ask for."
              : "A service account is who a program is: it has tokens that end, and roles of its own, and outlasts the person who made it."
          }
        />
      )}
      {accounts.items && accounts.items.length > 0 && (
        <table className={classes.table} aria-label="Service accounts">
          <thead>
            <tr>
              <th scope="col">Account</th>
              <th scope="col">Belongs to</th>
              <th scope="col">Roles</th>
              <th scope="col">Tokens</th>
            </tr>
          </thead>
          <tbody>
            {accounts.items.map((account) => (
              <AccountRow key={account.name} account={account} />
            ))}
          </tbody>
        </table>
      )}
      <ShowMore list={accounts} />
    </>
  );
}

function AccountRow({ account }: { account: ServiceAccount }) {
  const { name, project, display_name, disabled_at, tokens, paths } = account;
  const roles = [...new Set(paths.map(({ role }) => role))];
  return (
    <tr>
      <th scope="row">
        <Link to="/access/accounts/$name" params={{ name }}>
          {name}
        </Link>
        {disabled_at && <span className={classes.mark}>Disabled</span>}
        {display_name && <p className={classes.under}>{display_name}</p>}
      </th>
      <td>{project ? `project ${project}` : "the organisation"}</td>
      <td>{roles.length > 0 ? roles.join(", ") : <span className={classes.quiet}>none</span>}</td>
      <td data-number>{tokens.toLocaleString("en")}</td>
    </tr>
  );
}

function AccountForm({ project, onClose }: { project: string | undefined; onClose: () => void }) {
  const create = useAccountCreate();
  const navigate = useNavigate();
  const places = usePlaces("account:manage");
  const [fault, setFault] = useState<string | null>(null);
  const owners = [
    ...places.organisation.map(() => ({ value: "", label: "The organisation" })),
    ...places.project.map((value) => ({ value, label: `Project ${value}` })),
  ];

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const name = String(given.get("name")).trim();
    setFault(name ? null : "Name it after the program that uses it.");
    if (!name) return;
    create.mutate(
      {
        name,
        project: String(given.get("project")) || null,
        display_name: String(given.get("display_name")).trim(),
      },
      { onSuccess: () => void navigate({ to: "/access/accounts/$name", params: { name } }) },
    );
  }

  const nameFault = fault ?? faultAt(create.error, "name");
  return (
    <Dialog title="New service account" onClose={onClose}>
      <form className={dialogBody} onSubmit={submit} noValidate>
        <TextInput
          label="Name"
          name="name"
          placeholder="ci-bot"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={63}
          data-autofocus
          error={nameFault}
        />
        <NativeSelect
          key={owners.length}
          label="Belongs to"
          description="An account of a project gets roles only there."
          name="project"
          data={owners}
          defaultValue={project ?? owners.at(-1)?.value ?? ""}
          error={faultAt(create.error, "project")}
        />
        <TextInput
          label="What it is for"
          name="display_name"
          placeholder="Nightly evaluation"
          maxLength={200}
        />
        {create.error && !nameFault && <DialogFailure>{create.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave it
          </Button>
          <Button type="submit" loading={create.isPending}>
            Make account
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
