/** The secrets of a project: their names, who set them, and who uses them; never their values. */
import { Button, Select } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Secret } from "../../api/types";
import { EmptyState } from "../../frame/EmptyState";
import { WarningIcon } from "../../frame/icons";
import { NoPermission, PageState } from "../../frame/PageState";
import { ShowMore } from "../../frame/ShowMore";
import { anyProject, useProject } from "../../projects/scope";
import { counted } from "../../quantity/words";
import { useMay, useMaySomewhere } from "../../session/queries";
import { RelativeTime } from "../../time/Times";
import { Ask } from "../Ask";
import classes from "../access.module.css";
import { usePlaces } from "../PlaceFields";
import { useProjects } from "../places/queries";
import { useAccessSearch } from "../search";
import { useSecretRemove, useSecrets } from "./queries";
import { SealingKeys } from "./SealingKeys";
import { SecretForm } from "./SecretForm";

export default function SecretsPage() {
  if (!useMaySomewhere()("secret:read")) return <NoPermission what="secrets" />;
  return <Projects />;
}

function Projects() {
  const may = useMay();
  const projects = useProjects();
  const names = usePlaces("secret:read").project;
  const scope = useProject();
  const [{ target, form }, change] = useAccessSearch();
  const project = target ?? (scope && names.includes(scope) ? scope : names[0]);
  if (!projects.data) return <PageState query={projects} what="projects" />;
  if (project === undefined) {
    return <EmptyState title="No projects yet" sentence="Secrets belong to a project." />;
  }
  const mayWrite = may("secret:write", project);
  return (
    <>
      <div className={classes.bar}>
        <Select
          size="xs"
          w={200}
          aria-label="Project"
          searchable
          allowDeselect={false}
          data={[...names]}
          value={project}
          onChange={(next) => change({ target: next ?? "" })}
        />
        {mayWrite && <Button onClick={() => change({ form: "secret" })}>Set a secret</Button>}
      </div>
      {form === "secret" && mayWrite && (
        <SecretForm key={project} project={project} onClose={() => change({ form: "" })} />
      )}
      <Secrets key={project} project={project} mayWrite={mayWrite} />
      {may("secret:rotate") && <SealingKeys />}
    </>
  );
}

function Secrets({ project, mayWrite }: { project: string; mayWrite: boolean }) {
  const secrets = useSecrets(project);
  if (!secrets.items) return <PageState query={secrets} what="secrets" />;
  if (secrets.items.length === 0) {
    return (
      <EmptyState
        title={`No secrets in ${project}`}
        sentence="A secret is sealed here and handed to work that names it, as a variable or a file. Nobody can read it back."
        example={`podium secret set HF_TOKEN --project ${project}`}
      />
    );
  }
  return (
    <>
      <table className={classes.table} aria-label={`Secrets of ${project}`}>
        <thead>
          <tr>
            <th scope="col">Secret</th>
            <th scope="col">Set</th>
            <th scope="col" data-wide>
              Last used
            </th>
            <th scope="col" data-wide>
              Used by
            </th>
            <th scope="col">
              <span className={classes.unseen}>Change</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {secrets.items.map((secret) => (
            <SecretRow key={secret.name} secret={secret} mayWrite={mayWrite} />
          ))}
        </tbody>
      </table>
      <ShowMore list={secrets} />
    </>
  );
}

function SecretRow({ secret, mayWrite }: { secret: Secret; mayWrite: boolean }) {
  const { name, locked, updated_at, updated_by, last_used_at, used_by_count: count } = secret;
  const [asked, setAsked] = useState<"replace" | "remove" | null>(null);
  const close = () => setAsked(null);
  return (
    <tr>
      <th scope="row">
        <code>{name}</code>
        {locked && (
          <p className={classes.fault}>
            <WarningIcon /> Locked: this server has not the key that opens it. Set it again.
          </p>
        )}
      </th>
      <td data-time>
        <RelativeTime at={updated_at} />
        <p className={classes.under}>by {updated_by}</p>
      </td>
      <td data-wide data-time>
        {last_used_at ? (
          <RelativeTime at={last_used_at} />
        ) : (
          <span className={classes.quiet}>never</span>
        )}
      </td>
      <td data-wide>
        <Users secret={secret} />
      </td>
      <td data-end>
        {mayWrite && (
          <>
            <button
              type="button"
              className={classes.textButton}
              aria-label={`Replace ${name}`}
              onClick={() => setAsked("replace")}
            >
              Replace
            </button>
            <button
              type="button"
              className={classes.textButton}
              data-ends
              aria-label={`Remove ${name}`}
              onClick={() => setAsked("remove")}
            >
              Remove
            </button>
          </>
        )}
        {asked === "replace" && (
          <SecretForm project={secret.project} name={name} used={count} onClose={close} />
        )}
        {asked === "remove" && <RemoveDialog secret={secret} onClose={close} />}
      </td>
    </tr>
  );
}

/** The newest workloads that name it, and how many more. */
function Users({ secret: { used_by = [], used_by_count = 0 } }: { secret: Secret }) {
  if (used_by_count === 0) return <span className={classes.quiet}>nothing now</span>;
  const shown = used_by.slice(0, 3);
  const more = used_by_count - shown.length;
  if (shown.length === 0) return counted(used_by_count, "workload");
  return (
    <>
      {shown.map(({ id, name }, at) => (
        <span key={id}>
          {at > 0 && ", "}
          <Link to="/workloads/$id" params={{ id }} search={anyProject}>
            {name}
          </Link>
        </span>
      ))}
      {more > 0 && ` and ${more.toLocaleString("en")} more`}
    </>
  );
}

function RemoveDialog({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  const remove = useSecretRemove(secret.project, secret.name);
  const { used_by_count: count = 0 } = secret;
  return (
    <Ask
      title={`Remove ${secret.name}`}
      does={`Remove ${secret.name}`}
      change={remove}
      onClose={onClose}
    >
      <p>The value cannot be brought back. Work that runs keeps what it was given.</p>
      {count > 0 ? (
        <p>
          {counted(count, "workload names", "workloads name")} it and {count === 1 ? "has" : "have"}{" "}
          not ended: <Users secret={secret} />. What starts without it fails.
        </p>
      ) : (
        <p>Nothing that runs or waits names it.</p>
      )}
    </Ask>
  );
}
