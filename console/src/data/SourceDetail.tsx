/** One data source: its class and place, who may use it, what uses it now, and who did. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Ask } from "../access/Ask";
import access from "../access/access.module.css";
import { Detail } from "../access/Detail";
import { Fact, Facts } from "../access/Field";
import { Part } from "../access/Part";
import type { DataSource } from "../api/types";
import { PageState } from "../frame/PageState";
import { ShowMore } from "../frame/ShowMore";
import { useGovernanceSearch } from "../governance/search";
import { anyProject } from "../projects/scope";
import { counted } from "../quantity/words";
import { useMay } from "../session/queries";
import { RelativeTime } from "../time/Times";
import { ClassBadge } from "./ClassBadge";
import { Grants } from "./Grants";
import { useMounts, useSource, useSourceRemove } from "./queries";
import { SourceForm } from "./SourceForm";
import { classes, kinds, locationFields, regionsInWords } from "./words";

export function SourceDetail({ source: known }: { source: DataSource }) {
  const source = { ...known, ...useSource(known).data };
  const may = useMay();
  const [{ form }, change] = useGovernanceSearch();
  const owner = source.project ?? undefined;
  const keeps = may("data:administer", owner);
  const sees = may("data:grant", owner) || may("audit:read", owner);
  const users = source.used_by ?? [];
  const { kind, location, classification, regions, project, updated_by, updated_at } = source;
  return (
    <Detail
      name={source.id}
      back={
        <Link to="/data" search={{}}>
          Data sources
        </Link>
      }
      sentence={
        <>
          {source.description && `${source.description} `}
          Owned by {project ? `project ${project}` : "the organisation"}. Changed by {updated_by},{" "}
          <RelativeTime at={updated_at} />.
        </>
      }
      actions={
        keeps && (
          <>
            <Button variant="default" onClick={() => change({ form: "change" })}>
              Change
            </Button>
            <Button variant="default" onClick={() => change({ form: "delete" })}>
              Delete
            </Button>
          </>
        )
      }
    >
      {form === "change" && keeps ? (
        <SourceForm
          source={source}
          whole={may("data:administer")}
          onDone={() => change({ form: "" })}
        />
      ) : (
        <div className={access.aside}>
          <Facts>
            <Fact name="Class">
              <ClassBadge value={classification} /> {classes[classification].about}
            </Fact>
            <Fact name="Regions">{regionsInWords(regions)}</Fact>
            <Fact name="Kind">{kinds[kind]}</Fact>
            {location &&
              locationFields[kind]
                .filter(({ name }) => location[name])
                .map(({ name, label }) => (
                  <Fact key={name} name={label}>
                    <code>{location[name]}</code>
                  </Fact>
                ))}
            <Fact name="Used now by">
              {users.length === 0
                ? "no work that you can see"
                : users.map((id) => (
                    <Link
                      key={id}
                      to="/workloads/$id"
                      params={{ id }}
                      search={anyProject}
                      style={{ marginRight: 8 }}
                    >
                      {id}
                    </Link>
                  ))}
            </Fact>
          </Facts>
        </div>
      )}
      {form === "delete" && keeps && (
        <Remove
          source={source}
          onClose={() => change({ form: "" })}
          onDone={() => change({ form: "", name: "" })}
        />
      )}
      {source.grants && <Grants source={source} grants={source.grants} />}
      {sees && <Mounts source={source} />}
    </Detail>
  );
}

interface RemoveProps {
  source: DataSource;
  onClose: () => void;
  onDone: () => void;
}

function Remove({ source, onClose, onDone }: RemoveProps) {
  const remove = useSourceRemove(source);
  const users = source.used_by?.length ?? 0;
  return (
    <Ask
      title={`Delete data source ${source.id}?`}
      does={`Delete ${source.id}`}
      change={remove}
      onClose={onClose}
      onDone={onDone}
    >
      <p>
        {users > 0
          ? `${counted(users, "workload")} that ${users === 1 ? "asks" : "ask"} for it would not start any more; what has it mounted goes on. `
          : "No work that you can see asks for it. "}
        Its grants are lost; the data itself is not touched.
      </p>
    </Ask>
  );
}

function Mounts({ source }: { source: DataSource }) {
  const mounts = useMounts(source, true);
  const items = mounts.data?.pages.flatMap((page) => page.items);
  return (
    <Part title="Access log" sentence="Who mounted it, when and where, from the audit trail.">
      {!items && <PageState query={mounts} what="the access log" rows={3} />}
      {items?.length === 0 && <p className={access.note}>Nobody has used it yet.</p>}
      {items && items.length > 0 && (
        <table className={access.table} aria-label={`Access log of ${source.id}`}>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Who</th>
              <th scope="col">Workload</th>
              <th scope="col" data-wide>
                Where
              </th>
              <th scope="col" data-wide>
                To
              </th>
              <th scope="col" data-wide>
                By
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((each) => (
              <tr key={each.seq}>
                <td data-time>
                  <RelativeTime at={each.at} />
                </td>
                <td>{each.username}</td>
                <td>
                  <Link to="/workloads/$id" params={{ id: each.workload_id }} search={anyProject}>
                    {each.workload_id}
                  </Link>
                  <p className={access.under}>{each.project}</p>
                </td>
                <td data-wide>
                  {[each.node, each.pool && `pool ${each.pool}`, each.region]
                    .filter(Boolean)
                    .join(", ")}
                </td>
                <td data-wide>{each.mode === "rw" ? "read and write" : "read"}</td>
                <td data-wide>
                  {each.right === "owner" ? "its own project" : `grant to ${each.right}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ShowMore list={mounts} />
    </Part>
  );
}
