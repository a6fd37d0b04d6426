/** Who may use a data source besides its owner; who may grant gives and takes here. */
import { Button, Checkbox, NativeSelect, Select } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Ask } from "../access/Ask";
import access from "../access/access.module.css";
import { Part } from "../access/Part";
import { useProjects, useTeams } from "../access/places/queries";
import { SubjectField } from "../access/SubjectField";
import { faultAt } from "../api/problem";
import type { DataSource } from "../api/types";
import { DialogFailure } from "../frame/Dialog";
import { useGovernanceSearch } from "../governance/search";
import { useMay } from "../session/queries";
import { type Grantee, useGrantRemove, useGrantSet } from "./queries";

type Grant = NonNullable<DataSource["grants"]>[number];

const labels: Record<Grantee, string> = { project: "Project", team: "Team", user: "Person" };

export function Grants({ source, grants }: { source: DataSource; grants: readonly Grant[] }) {
  const mayGrant = useMay()("data:grant", source.project ?? undefined);
  const [{ form }, change] = useGovernanceSearch();
  const [taken, setTaken] = useState<Grant | null>(null);
  return (
    <Part
      title="Grants"
      count={grants.length}
      sentence={
        source.project
          ? `Work of project ${source.project} may use it without a grant.`
          : "Who has no grant does not learn that it exists."
      }
      aside={
        mayGrant &&
        form !== "grant" && <Button onClick={() => change({ form: "grant" })}>Grant it</Button>
      }
    >
      {form === "grant" && mayGrant && (
        <GrantForm source={source} onDone={() => change({ form: "" })} />
      )}
      {grants.length === 0 && <p className={access.note}>Granted to nobody.</p>}
      {grants.length > 0 && (
        <table className={access.table} aria-label={`Grants of ${source.id}`}>
          <thead>
            <tr>
              <th scope="col">To</th>
              <th scope="col">What</th>
              {mayGrant && (
                <th scope="col">
                  <span className={access.unseen}>Take</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {grants.map((grant) => (
              <tr key={`${grant.kind} ${grant.name}`}>
                <th scope="row">
                  {grant.name}
                  <span className={access.mark}>{labels[grant.kind]}</span>
                </th>
                <td>{grant.write ? "Read and write" : "Read"}</td>
                {mayGrant && (
                  <td data-end>
                    <button
                      type="button"
                      className={access.textButton}
                      data-ends
                      aria-label={`Withdraw from ${grant.kind} ${grant.name}`}
                      onClick={() => setTaken(grant)}
                    >
                      Withdraw
                    </button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {taken && <Withdraw source={source} grant={taken} onClose={() => setTaken(null)} />}
    </Part>
  );
}

interface WithdrawProps {
  source: DataSource;
  grant: Grant;
  onClose: () => void;
}

function Withdraw({ source, grant: { kind, name }, onClose }: WithdrawProps) {
  const remove = useGrantRemove(source, kind, name);
  return (
    <Ask
      title={`Withdraw ${source.id} from ${kind === "user" ? name : `${kind} ${name}`}?`}
      does="Withdraw grant"
      change={remove}
      onClose={onClose}
    >
      <p>
        Work that waits does not get {source.id} any more. What has it mounted goes on until it
        ends.
      </p>
    </Ask>
  );
}

function GrantForm({ source, onDone }: { source: DataSource; onDone: () => void }) {
  const save = useGrantSet(source);
  const { data: teams = [] } = useTeams();
  const { data: projects = [] } = useProjects();
  const [kind, setKind] = useState<Grantee>("project");
  const [name, setName] = useState("");
  const [write, setWrite] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const error = fault ?? faultAt(save.error, "grantee") ?? faultAt(save.error, "name");
  const offered = kind === "team" ? teams : projects;

  function choose(next: string) {
    setName(next);
    setFault(null);
    save.reset();
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    const grantee = name.trim();
    setFault(grantee ? null : `Choose a ${labels[kind].toLowerCase()}.`);
    if (grantee) save.mutate({ kind, grantee, write }, { onSuccess: onDone });
  }

  return (
    <form className={access.form} onSubmit={submit} noValidate aria-label={`Grant ${source.id}`}>
      <NativeSelect
        label="To a"
        data={Object.entries(labels).map(([value, label]) => ({ value, label }))}
        value={kind}
        onChange={(event) => {
          setKind(event.currentTarget.value as Grantee);
          choose("");
        }}
      />
      {kind === "user" ? (
        <SubjectField kind="user" value={name} onChange={choose} error={error} />
      ) : (
        <Select
          className={access.grows ?? ""}
          label={labels[kind]}
          searchable
          data={offered.map((each) => each.name)}
          value={name || null}
          error={error}
          nothingFoundMessage={`No ${kind} of this name`}
          onChange={(next) => choose(next ?? "")}
        />
      )}
      <Checkbox
        label="Also to write"
        checked={write}
        onChange={(event) => setWrite(event.currentTarget.checked)}
        style={{ paddingTop: 30 }}
      />
      <div className={access.formActions}>
        <Button type="submit" loading={save.isPending}>
          Grant
        </Button>
        <Button variant="default" onClick={onDone}>
          Leave it
        </Button>
      </div>
      {save.error && !error && <DialogFailure>{save.error.message}</DialogFailure>}
    </form>
  );
}
