/** What organisation, teams and projects hold of each GPU type beside what they can count on. */
import { Link } from "@tanstack/react-router";
import { Fragment, useMemo, useState } from "react";
import type { Queue, Quotas } from "../api/types";
import { FailureState } from "../frame/FailureState";
import { ChevronIcon } from "../frame/icons";
import { milliInWords } from "../quantity/words";
import { useMay } from "../session/queries";
import { Duration } from "../time/Times";
import legend from "./legend.module.css";
import { QuotaForm } from "./QuotaForm";
import { useShares } from "./queries";
import { Section } from "./Section";
import { ShareBar } from "./ShareBar";
import {
  barScales,
  type ShareGpus,
  type ShareRows,
  scaleKey,
  sharesShown,
  typeInWords,
} from "./shares";
import classes from "./shares.module.css";

interface Props {
  /** "Shares" where nothing else is said. */
  title?: string;
  projects: Queue["projects"];
  project: string | undefined;
  turned: readonly string[];
  onTurned: (turned: string[]) => void;
}

export function Shares({ title = "Shares", ...props }: Props) {
  const { data: quotas, error, refetch } = useShares();
  return (
    <Section title={title}>
      {error && !quotas && <FailureState error={error} onRetry={() => refetch()} />}
      {!quotas && !error && <div className={classes.skeleton} aria-hidden="true" />}
      {quotas && <ShareTable quotas={quotas} {...props} />}
    </Section>
  );
}

function ShareTable({ quotas, projects, project, turned, onTurned }: Props & { quotas: Quotas }) {
  const maySet = useMay()("quota:set");
  const [edited, setEdited] = useState<string | null>(null);
  const rows = useMemo(() => sharesShown(quotas, turned, project), [quotas, turned, project]);
  const scales = useMemo(() => barScales(rows, quotas), [rows, quotas]);
  const waits = useMemo(() => new Map(projects.map((each) => [each.project, each])), [projects]);
  const nothingSet = quotas.items.every(({ gpus }) =>
    gpus.every((each) => each.set_guarantee_milli === 0 && each.limit_milli === null),
  );
  const turn = (team: string) =>
    onTurned(turned.includes(team) ? turned.filter((each) => each !== team) : [...turned, team]);
  const columns = maySet ? 10 : 9;
  return (
    <>
      <ShareLegend />
      {nothingSet && (
        <p className={classes.note}>
          Nothing is guaranteed or limited, so all GPUs are shared by weight.{" "}
          {maySet ? "Guarantee a team its part with" : "An administrator can guarantee parts:"}{" "}
          <code>podium quota set team NAME --guarantee H100=8</code>
        </p>
      )}
      <table className={classes.table} aria-label="Shares against guarantees, in GPUs">
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col">GPU type</th>
            <th scope="col" data-column="bar">
              <span className={classes.said}>Bar</span>
            </th>
            <th scope="col" data-number>
              Held
            </th>
            <th scope="col" data-number>
              Borrowed
            </th>
            <th scope="col" data-number>
              Guaranteed
            </th>
            <th scope="col" data-number>
              Limit
            </th>
            <th scope="col" data-number>
              Waits for
            </th>
            <th scope="col">Queue</th>
            {maySet && (
              <th scope="col">
                <span className={classes.said}>Change</span>
              </th>
            )}
          </tr>
        </thead>
        {rows.map((row) => {
          const { share, gpus } = row;
          const key = `${share.level} ${share.name}`;
          return (
            <tbody key={key} data-depth={row.depth}>
              {gpus.map((each, at) => (
                <tr key={each.gpu_type} data-first={at === 0 || undefined}>
                  <th scope="row" style={{ paddingLeft: row.depth * 20 }}>
                    {at === 0 ? (
                      <ShareName row={row} onTurn={() => turn(share.name)} />
                    ) : (
                      <span className={classes.said}>{share.name}</span>
                    )}
                  </th>
                  <td data-column="type">{typeInWords(each.gpu_type)}</td>
                  <td data-column="bar">
                    <ShareBar
                      gpus={each}
                      whole={scales.get(scaleKey(share, each)) ?? 1000}
                      name={`${share.name}, ${typeInWords(each.gpu_type)}`}
                    />
                  </td>
                  <Figures gpus={each} />
                  <td data-column="queue">
                    {at === 0 && share.level === "project" && (
                      <Waits name={share.name} waits={waits.get(share.name)} />
                    )}
                  </td>
                  {maySet && (
                    <td data-column="change">
                      {at === 0 && (
                        <button
                          type="button"
                          className={classes.change}
                          aria-label={`Change the quota of ${share.name}`}
                          aria-expanded={edited === key}
                          onClick={() => setEdited(edited === key ? null : key)}
                        >
                          Change
                        </button>
                      )}
                    </td>
                  )}
                </tr>
              ))}
              {gpus.length === 0 && (
                <tr data-first>
                  <th scope="row" style={{ paddingLeft: row.depth * 20 }}>
                    <ShareName row={row} onTurn={() => turn(share.name)} />
                  </th>
                  <td colSpan={columns - 1} className={classes.quiet}>
                    No GPUs
                  </td>
                </tr>
              )}
              {edited === key && (
                <tr>
                  <td colSpan={columns} data-column="form">
                    <QuotaForm share={share} quotas={quotas} onDone={() => setEdited(null)} />
                  </td>
                </tr>
              )}
            </tbody>
          );
        })}
      </table>
    </>
  );
}

function Figures({ gpus }: { gpus: ShareGpus }) {
  const figures: [label: string, milli: number | null, zero: string][] = [
    ["held", gpus.used_milli, "0"],
    ["borrowed", gpus.borrowed_milli, "–"],
    ["guaranteed", gpus.guarantee_milli, "–"],
    ["limit", gpus.limit_milli, "0"],
    ["waited for", gpus.waiting_milli, "–"],
  ];
  return (
    <>
      {figures.map(([label, milli, zero]) => (
        <td
          key={label}
          data-number
          data-label={label}
          data-none={milli === null || (milli === 0 && zero === "–") || undefined}
        >
          {milli === null ? "–" : milli === 0 ? zero : milliInWords(milli)}
        </td>
      ))}
    </>
  );
}

function ShareName({ row, onTurn }: { row: ShareRows; onTurn: () => void }) {
  const { share, folded } = row;
  const weight =
    share.weight === 1 ? null : <span className={classes.weight}> weight {share.weight}</span>;
  if (folded !== null) {
    return (
      <span className={classes.name}>
        <button
          type="button"
          className={classes.fold}
          aria-expanded={!folded}
          onClick={onTurn}
          title={folded ? `Show the projects of ${share.name}` : `Fold ${share.name}`}
        >
          <ChevronIcon />
          {share.name}
        </button>
        {weight}
      </span>
    );
  }
  return (
    <span className={classes.name} data-plain={share.level === "team" || undefined}>
      {share.level === "project" ? (
        <Link to="." search={{ project: share.name } as never}>
          {share.name}
        </Link>
      ) : share.level === "organisation" ? (
        "Whole organisation"
      ) : (
        share.name
      )}
      {weight}
    </span>
  );
}

function Waits({ name, waits }: { name: string; waits: Queue["projects"][number] | undefined }) {
  return (
    <>
      {waits && waits.running > 0 && (
        <Link to="/workloads" search={{ project: [name], state: ["running"] } as never}>
          {waits.running.toLocaleString("en")} running
        </Link>
      )}
      {waits && waits.waiting > 0 ? (
        <Fragment>
          <Link to="/workloads" search={{ project: [name], state: ["queued"] } as never}>
            {waits.waiting.toLocaleString("en")} {waits.waiting === 1 ? "waits" : "wait"}
          </Link>
          {waits.oldest_queued_at && (
            <span className={classes.longest}>
              <span className={classes.said}>the longest for </span>
              <Duration start={waits.oldest_queued_at} />
            </span>
          )}
        </Fragment>
      ) : (
        <span className={classes.quiet}>nothing waits</span>
      )}
    </>
  );
}

const keys: [part: string, words: string][] = [
  ["own", "Held"],
  ["borrowed", "Borrowed"],
  ["waiting", "Waited for"],
  ["guarantee", "Guarantee"],
  ["limit", "Limit"],
];

function ShareLegend() {
  return (
    <ul className={legend.legend} aria-label="Legend">
      {keys.map(([part, words]) => (
        <li key={part}>
          <span className={classes.key} aria-hidden="true">
            <span data-part={part} />
          </span>
          {words}
        </li>
      ))}
    </ul>
  );
}
