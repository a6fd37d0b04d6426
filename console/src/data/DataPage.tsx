/** Data sources: what they are, how sensitive, who may use them, and one of them in full. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import access from "../access/access.module.css";
import type { DataSource } from "../api/types";
import { EmptyState } from "../frame/EmptyState";
import { PageState } from "../frame/PageState";
import { useGovernanceSearch } from "../governance/search";
import { useProject } from "../projects/scope";
import { counted } from "../quantity/words";
import { useMay, useMaySomewhere } from "../session/queries";
import { ClassBadge } from "./ClassBadge";
import { useSources } from "./queries";
import { SourceDetail } from "./SourceDetail";
import { SourceForm } from "./SourceForm";
import { kinds, regionsInWords } from "./words";

export default function DataPage() {
  const sources = useSources();
  const project = useProject();
  const mayAdd = useMaySomewhere()("data:administer");
  const whole = useMay()("data:administer");
  const [{ form, name }, change] = useGovernanceSearch();
  const { data } = sources;
  if (!data) return <PageState query={sources} what="data sources" />;
  if (name !== undefined) {
    const chosen = data.find((each) => each.id === name);
    if (chosen) return <SourceDetail key={chosen.id} source={chosen} />;
    return (
      <EmptyState
        title="Not found"
        sentence={`There is no data source ${name} that you can see.`}
      />
    );
  }
  const rows = data.filter((each) => !project || each.project === null || each.project === project);
  return (
    <>
      {form === "new" ? (
        <SourceForm whole={whole} onDone={(made) => change({ form: "", name: made?.id ?? "" })} />
      ) : (
        rows.length > 0 && (
          <div className={access.bar}>
            <span className={access.count}>{counted(rows.length, "source")}</span>
            {mayAdd && (
              <span className={access.actions}>
                <Button onClick={() => change({ form: "new" })}>Add a source</Button>
              </span>
            )}
          </div>
        )
      )}
      {rows.length === 0 && form !== "new" && (
        <EmptyState
          title="No data sources"
          sentence={
            mayAdd
              ? "A data source is data with a name, a class and an owner. Work asks for it by its name, and every use of it is in the audit trail."
              : "Nothing was granted to your projects. Who keeps data can grant it."
          }
          {...(mayAdd && {
            example:
              "podium data add scans --kind folder --path /srv/data/scans --class restricted",
            action: <Button onClick={() => change({ form: "new" })}>Add a source</Button>,
          })}
        />
      )}
      {rows.length > 0 && (
        <table className={access.table} aria-label="Data sources">
          <thead>
            <tr>
              <th scope="col">Source</th>
              <th scope="col">Class</th>
              <th scope="col" data-wide>
                Kind
              </th>
              <th scope="col" data-wide>
                Where it may be used
              </th>
              <th scope="col" data-wide>
                Granted to
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((source) => (
              <tr key={source.id}>
                <th scope="row">
                  <Link to="/data" search={{ name: source.id }}>
                    {source.id}
                  </Link>
                  {source.description && <p className={access.under}>{source.description}</p>}
                </th>
                <td>
                  <ClassBadge value={source.classification} />
                </td>
                <td data-wide>{kinds[source.kind]}</td>
                <td data-wide>{regionsInWords(source.regions)}</td>
                <td data-wide>{grantsInWords(source)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

const NAMED = 3;

function grantsInWords({ grants, project }: DataSource): string {
  if (grants === null) return "–";
  const names = [
    ...(project ? [`its project ${project}`] : []),
    ...grants.map(({ kind, name }) => `${kind === "user" ? "" : `${kind} `}${name}`),
  ];
  if (names.length === 0) return "nobody yet";
  const rest = names.length - NAMED;
  return names.slice(0, NAMED).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
