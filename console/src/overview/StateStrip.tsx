/** How many workloads are in which state, under the title; each number leads to its list. */
import type { Overview, WorkloadState } from "../api/types";
import { StateIcon } from "../workloads/StateIcon";
import { shownState } from "../workloads/state";
import { Ticking } from "./Figure";
import { WorkloadsLink } from "./links";
import classes from "./overview.module.css";

interface Group {
  states: WorkloadState[];
  word: string;
}

const groups: Group[] = [
  { states: ["running"], word: "running" },
  { states: ["queued"], word: "waiting" },
  { states: ["scheduled", "starting"], word: "starting" },
  { states: ["stopping"], word: "stopping" },
];

export function StateStrip({ overview }: { overview: Overview | undefined }) {
  const { workloads, failed_last_day: failed } = overview ?? {};
  const countOf = (states: WorkloadState[]) =>
    states.reduce((sum, state) => sum + (workloads?.[state] ?? 0), 0);
  return (
    <ul className={classes.strip} aria-label="Workloads by state">
      {groups.map(({ states, word }) => (
        <Item
          key={word}
          state={states.at(-1) ?? "running"}
          count={workloads && countOf(states)}
          word={word}
          to={{ state: states }}
        />
      ))}
      <Item
        state="failed"
        count={failed}
        word="failed in 24 h"
        to={{ state: ["failed"], ended_since: "24h" }}
      />
    </ul>
  );
}

interface ItemProps {
  state: WorkloadState;
  count: number | undefined;
  word: string;
  to: Parameters<typeof WorkloadsLink>[0]["to"];
}

function Item({ state, count, word, to }: ItemProps) {
  const { tone } = shownState(state);
  return (
    <li className={classes.stripItem} data-state={state} data-none={!count || undefined}>
      <WorkloadsLink plain to={to}>
        <span className={classes.stripIcon} style={{ color: `var(--state-${tone})` }}>
          <StateIcon state={state} />
        </span>
        <span className={classes.stripCount}>
          {count === undefined ? "–" : <Ticking text={count.toLocaleString("en")} />}
        </span>{" "}
        {word}
      </WorkloadsLink>
    </li>
  );
}
