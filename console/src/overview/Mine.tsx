/** One's own work first: what runs, and of what waits, why. */
import { Link } from "@tanstack/react-router";
import type { Workload } from "../api/types";
import { useIdentity } from "../session/queries";
import { Duration } from "../time/Times";
import { rowInWords } from "../workloads/progress";
import { StateIcon } from "../workloads/StateIcon";
import { shownState } from "../workloads/state";
import { Figure } from "./Figure";
import { WorkloadLink, WorkloadsLink } from "./links";
import { mineShown } from "./mine";
import classes from "./overview.module.css";
import { Blanks, Nothing, Panel } from "./Panel";
import { useMine } from "./queries";

const ROWS = 4;

export function Mine() {
  const { username } = useIdentity();
  const { data, error } = useMine();
  const items = data?.items ?? [];
  const total = data?.total ?? items.length;
  // Of very many only the latest were read, and a number must not say less than there is.
  const cut = total > items.length ? "+" : "";
  const count = (...states: string[]) =>
    data &&
    `${items.filter(({ state }) => states.includes(state)).length.toLocaleString("en")}${cut}`;
  const rows = mineShown(items, ROWS);
  return (
    <Panel
      area="mine"
      title="Yours"
      aside={
        <WorkloadsLink to={{ owner: username }}>
          {total > rows.length ? `All ${total.toLocaleString("en")}` : "All yours"}
        </WorkloadsLink>
      }
    >
      <dl className={classes.figures}>
        <Figure
          label="Running"
          value={count("running")}
          link={(number) => (
            <WorkloadsLink plain to={{ owner: username, state: ["running"] }}>
              {number}
            </WorkloadsLink>
          )}
        />
        <Figure
          label="Waiting"
          value={count("queued")}
          link={(number) => (
            <WorkloadsLink plain to={{ owner: username, state: ["queued"] }}>
              {number}
            </WorkloadsLink>
          )}
        />
        <Figure
          label="Starting"
          value={count("scheduled", "starting")}
          link={(number) => (
            <WorkloadsLink plain to={{ owner: username, state: ["scheduled", "starting"] }}>
              {number}
            </WorkloadsLink>
          )}
        />
      </dl>
      {!data && !error && <Blanks rows={ROWS} label="your work" />}
      {error && !data && <Nothing>{error.message}</Nothing>}
      {data && rows.length === 0 && (
        <Nothing>
          Nothing of yours runs or waits.{" "}
          <Link to="/submit" className={classes.link}>
            Submit a workload
          </Link>
        </Nothing>
      )}
      {rows.length > 0 && (
        <ul className={classes.rows}>
          {rows.map((workload) => (
            <MineRow key={workload.id} workload={workload} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function MineRow({ workload }: { workload: Workload }) {
  const { state, name, id, started_at, queued_at, submitted_at } = workload;
  const { label, tone } = shownState(state);
  const words = rowInWords(workload);
  const since = state === "running" ? started_at : (queued_at ?? submitted_at);
  return (
    <li className={classes.row} title={words || undefined}>
      <span
        className={classes.rowState}
        style={{ color: `var(--state-${tone})` }}
        role="img"
        aria-label={label}
      >
        <StateIcon state={state} />
      </span>
      <WorkloadLink id={id}>{name}</WorkloadLink>
      <span className={classes.rowWords}>{words || workload.resources.text}</span>
      <span className={classes.rowEnd}>{since && <Duration start={since} />}</span>
    </li>
  );
}
