/** Adds a data source, or changes one: what it is, how sensitive, and where it lies. */
import { Button, NativeSelect, TagsInput, TextInput } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import access from "../access/access.module.css";
import { FieldGroup } from "../access/Field";
import { usePlaces } from "../access/PlaceFields";
import { useKept } from "../access/useKept";
import { faultAt } from "../api/problem";
import type { Classification, DataSource } from "../api/types";
import budgets from "../budgets/budgets.module.css";
import { DialogFailure } from "../frame/Dialog";
import { useSourceSet } from "./queries";
import {
  classes,
  draftOf,
  kinds,
  locationFields,
  requestOf,
  type SourceDraft,
  type SourceKind,
} from "./words";

interface Props {
  /** The one that is changed; a new one is made without it. */
  source?: DataSource;
  /** Whether one may make sources of the organisation. */
  whole: boolean;
  onDone: (made?: DataSource) => void;
}

export function SourceForm({ source, whole, onDone }: Props) {
  const save = useSourceSet();
  const { project: owners } = usePlaces("data:administer");
  const form = useRef<HTMLFormElement>(null);
  const [draft, change, forget] = useKept<SourceDraft>(
    `source-${source?.id ?? ""}`,
    draftOf(source, whole ? "" : (owners[0] ?? "")),
  );
  const [faults, setFaults] = useState<Record<string, string>>({});
  const fields = locationFields[draft.kind];
  const faultOf = (field: string) => faults[field] ?? faultAt(save.error, field);
  const said = ["name", "project", "kind", "classification", "regions", "description"]
    .concat(fields.map(({ name }) => `location.${name}`))
    .some((field) => faultAt(save.error, field));
  // A lead's own source can only be what needs nothing of the nodes.
  const offered = (Object.keys(kinds) as SourceKind[]).filter((kind) => whole || kind === "s3");

  function focusFault() {
    requestAnimationFrame(() =>
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(),
    );
  }

  function leave(made?: DataSource) {
    forget();
    onDone(made);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    const found = requestOf(draft);
    setFaults("faults" in found ? found.faults : {});
    if ("faults" in found) return focusFault();
    save.mutate(
      { name: draft.name.trim(), project: draft.project || null, body: found.body },
      { onSuccess: leave, onError: focusFault },
    );
  }

  return (
    <form
      ref={form}
      className={budgets.form}
      onSubmit={submit}
      noValidate
      aria-label={source ? `Change ${source.id}` : "Add a data source"}
    >
      <h2 className={access.unseen}>{source ? `Change ${source.id}` : "Add a data source"}</h2>
      <FieldGroup title="What it is" sentence="Work asks for it by its name.">
        {!source && (
          <>
            <TextInput
              label="Name"
              placeholder="scans"
              autoCapitalize="none"
              spellCheck={false}
              maxLength={63}
              value={draft.name}
              error={faultOf("name")}
              onChange={(event) => change({ name: event.currentTarget.value })}
            />
            <NativeSelect
              label="Owner"
              data={[
                ...(whole ? [{ value: "", label: "The organisation" }] : []),
                ...owners.map((name) => ({ value: name, label: `Project ${name}` })),
              ]}
              value={draft.project}
              error={faultOf("project")}
              onChange={(event) => change({ project: event.currentTarget.value })}
            />
          </>
        )}
        <TextInput
          label="Description"
          maxLength={500}
          value={draft.description}
          error={faultOf("description")}
          onChange={(event) => change({ description: event.currentTarget.value })}
        />
      </FieldGroup>
      <FieldGroup
        title="How sensitive"
        sentence="The class decides where work that uses it may run."
      >
        <NativeSelect
          label="Class"
          description={classes[draft.classification].about}
          data={Object.entries(classes).map(([value, { label }]) => ({ value, label }))}
          value={draft.classification}
          error={faultOf("classification")}
          onChange={(event) =>
            change({ classification: event.currentTarget.value as Classification })
          }
        />
        <TagsInput
          label="Only in these regions"
          description="As pools name theirs; empty: everywhere."
          placeholder={draft.regions.length === 0 ? "eu-central" : ""}
          value={draft.regions}
          error={faultOf("regions")}
          onChange={(regions) => change({ regions })}
        />
      </FieldGroup>
      <FieldGroup title="Where it lies" sentence="Only those who keep it see this.">
        <NativeSelect
          label="Kind"
          data={offered.map((value) => ({ value, label: kinds[value] }))}
          value={draft.kind}
          error={faultOf("kind")}
          onChange={(event) =>
            change({ kind: event.currentTarget.value as SourceKind, location: {} })
          }
        />
        {fields.map(({ name, label, example, optional }) => (
          <TextInput
            key={name}
            label={label}
            placeholder={optional ? `may be left empty; like ${example}` : example}
            autoCapitalize="none"
            spellCheck={false}
            value={draft.location[name] ?? ""}
            error={faultOf(`location.${name}`)}
            onChange={(event) =>
              change({ location: { ...draft.location, [name]: event.currentTarget.value } })
            }
          />
        ))}
        {faultOf("location") && <DialogFailure>{faultOf("location")}</DialogFailure>}
      </FieldGroup>
      <footer className={budgets.foot}>
        {save.error && !said && !faultAt(save.error, "location") && (
          <DialogFailure>{save.error.message}</DialogFailure>
        )}
        <div>
          <Button type="submit" loading={save.isPending}>
            {source ? "Save source" : "Add source"}
          </Button>
          <Button variant="default" onClick={() => leave()}>
            Leave it
          </Button>
        </div>
      </footer>
    </form>
  );
}
