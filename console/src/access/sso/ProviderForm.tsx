/** Adds a provider, or changes one: in the order in which the provider asks and tells. */
import { Button, Checkbox, PasswordInput, TagsInput, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useRef, useState } from "react";
import { faultAt } from "../../api/problem";
import type { Provider } from "../../api/types";
import { Copyable } from "../../frame/Copyable";
import { Notice } from "../../session/Notice";
import access from "../access.module.css";
import { useOrigin } from "../directory/queries";
import { FieldGroup } from "../Field";
import { useKept } from "../useKept";
import { Choices } from "./Choices";
import { GroupNames } from "./GroupNames";
import { IssuerField } from "./IssuerField";
import { useProviderSet } from "./queries";
import { SeenAtSignIn } from "./SeenAtSignIn";
import classes from "./sso.module.css";
import {
  type Draft,
  draftFaults,
  draftOf,
  groupModes,
  links,
  redirectUri,
  requestOf,
} from "./words";

interface Props {
  /** The one that is changed; a new one is made without it. */
  provider?: Provider;
  onDone: (provider: Provider) => void;
  onLeave: () => void;
}

export function ProviderForm({ provider, onDone, onLeave }: Props) {
  const save = useProviderSet();
  const origin = useOrigin();
  const form = useRef<HTMLFormElement>(null);
  const [draft, keep, forget] = useKept(`provider-${provider?.name ?? ""}`, draftOf(provider));
  const [secret, setSecret] = useState("");
  const [forgets, setForgets] = useState(false);
  const [faults, setFaults] = useState<Record<string, string>>({});
  const has = provider?.has_secret ?? false;
  const faultOf = (field: string) => faults[field] ?? faultAt(save.error, field);
  const placed = fields.some((field) => faultAt(save.error, field) !== null);
  const named = Object.keys(requestOf(draft, null, false).group_names ?? {});
  const said = placed || named.some((each) => faultAt(save.error, `group_names.${each}`) !== null);

  /** What was wrong with a field is forgotten as it changes. */
  function change(next: Partial<Draft>) {
    keep(next);
    const kept = Object.entries(faults).filter(
      ([field]) => !(field in next) && !("names" in next && field.startsWith("group_names.")),
    );
    if (kept.length < Object.keys(faults).length) setFaults(Object.fromEntries(kept));
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    const found = draftFaults(draft);
    setFaults(found);
    if (Object.keys(found).length > 0) return focusFault();
    save.mutate(requestOf(draft, secret || null, has && !secret && !forgets), {
      onSuccess: (made) => {
        forget();
        onDone(made);
      },
      onError: focusFault,
    });
  }

  /** What is wrong may be out of sight in a form as long as this. */
  function focusFault() {
    requestAnimationFrame(() =>
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(),
    );
  }

  function leave() {
    forget();
    onLeave();
  }

  return (
    <form
      ref={form}
      onSubmit={submit}
      noValidate
      autoComplete="off"
      aria-label={provider ? `Change ${provider.name}` : "Add a provider"}
    >
      {!provider && (
        <header className={classes.formHead}>
          <h2>Add a provider</h2>
          <p>
            Any that speaks OpenID Connect: Entra ID, Okta, Google, Keycloak, Dex and others. Nobody
            is let in by it alone: who comes for the first time sees nothing until they, or a group
            of theirs, have a role.
          </p>
        </header>
      )}
      <FieldGroup
        title="Here"
        sentence="The name is part of addresses and stays; the button's text can change."
      >
        <TextInput
          label="Name"
          placeholder="corp"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={63}
          autoFocus={!provider}
          readOnly={provider !== undefined}
          value={draft.name}
          error={faultOf("name")}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        <TextInput
          label="What the button says"
          description="The name, if left empty."
          placeholder="Example Corp"
          maxLength={60}
          value={draft.label}
          error={faultOf("label")}
          onChange={(event) => change({ label: event.currentTarget.value })}
        />
        <SeenAtSignIn label={draft.label.trim() || draft.name.trim() || "…"} />
      </FieldGroup>
      <FieldGroup
        title="At the provider"
        sentence="Register Podium there as a web application with the code flow. It wants to know this address."
      >
        <div>
          <p className={classes.fieldLabel}>Redirect URI</p>
          <Copyable text={redirectUri(origin, draft.name)} />
        </div>
        <IssuerField
          value={draft.issuer}
          onChange={(issuer) => change({ issuer })}
          error={faultOf("issuer")}
        />
        <TextInput
          label="Client ID"
          placeholder="podium"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={500}
          value={draft.client_id}
          error={faultOf("client_id")}
          onChange={(event) => change({ client_id: event.currentTarget.value })}
        />
        <PasswordInput
          label="Client secret"
          description={
            has
              ? "One is set. Leave this empty to keep it."
              : "Sealed when it is kept, and never shown again. Leave it empty where there is none."
          }
          autoComplete="new-password"
          visibilityToggleButtonProps={{
            "aria-label": "Show or hide the secret",
            c: "var(--ink-3)",
          }}
          maxLength={4096}
          disabled={forgets}
          value={secret}
          error={faultOf("client_secret")}
          onChange={(event) => setSecret(event.currentTarget.value)}
        />
        {has && (
          <Checkbox
            size="xs"
            label="The client has no secret any more: forget the one that is set"
            checked={forgets}
            onChange={(event) => setForgets(event.currentTarget.checked)}
          />
        )}
        <TagsInput
          label="Scopes"
          description="What is asked for, beside openid."
          placeholder={draft.scopes.length > 0 ? "" : "email"}
          data={["profile", "email", "groups", "roles"]}
          value={draft.scopes}
          error={faultOf("scopes")}
          onChange={(scopes) => change({ scopes })}
        />
      </FieldGroup>
      <FieldGroup title="People" sentence="Who somebody becomes when they come for the first time.">
        <TextInput
          label="Claim with the name"
          description="An address becomes what stands before its @; a name that is taken gets a number."
          placeholder="preferred_username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={200}
          value={draft.username_claim}
          error={faultOf("username_claim")}
          onChange={(event) => change({ username_claim: event.currentTarget.value })}
        />
        <Choices
          label="Who may be somebody that is here already"
          choices={links}
          value={draft.link}
          error={faultOf("link")}
          onChange={(link) => change({ link })}
        />
      </FieldGroup>
      <FieldGroup
        title="Groups"
        sentence={
          <>
            Roles are given to groups, under <Link to="/access/bindings">Bindings</Link>. At each
            sign-in a person's groups become those that the provider names.
          </>
        }
      >
        <TextInput
          label="Claim with the groups"
          description="A dot leads inside. Empty: groups are kept here."
          placeholder="groups, or realm_access.roles"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={200}
          value={draft.groups_claim}
          error={faultOf("groups_claim")}
          onChange={(event) => change({ groups_claim: event.currentTarget.value })}
        />
        {draft.groups_claim.trim() !== "" && (
          <>
            <Choices
              label="A group that Podium does not have"
              choices={groupModes}
              value={draft.groups}
              error={faultOf("groups")}
              onChange={(groups) => change({ groups })}
            />
            <GroupNames
              names={draft.names}
              onChange={(names) => change({ names })}
              faultOf={faultOf}
            />
          </>
        )}
      </FieldGroup>
      <footer className={classes.formEnd}>
        {save.error && !said && <Notice tone="failed">{save.error.message}</Notice>}
        <div className={access.actions}>
          <Button type="submit" loading={save.isPending}>
            {provider ? "Save" : "Add provider"}
          </Button>
          <Button variant="default" onClick={leave}>
            Leave it
          </Button>
        </div>
      </footer>
    </form>
  );
}

const fields = [
  "name",
  "label",
  "issuer",
  "client_id",
  "client_secret",
  "scopes",
  "username_claim",
  "link",
  "groups_claim",
  "groups",
];
