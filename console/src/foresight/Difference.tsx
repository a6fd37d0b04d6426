/** What a change would do, as people read it: who stops, who starts earlier, who later. */
import { Link } from "@tanstack/react-router";
import type { Moved, NamedWorkload, WhatIf } from "../api/types";
import { counted } from "../quantity/words";
import { Moment } from "../time/Times";
import classes from "./foresight.module.css";

const SHOWN = 6;

export function Difference({ found }: { found: WhatIf }) {
  const { hidden } = found;
  return (
    <div className={classes.difference}>
      <p className={classes.sentence}>{found.sentence}</p>
      <Part
        title="Would stop"
        items={found.stopped.map(({ workload, why }) => ({ workload, words: why }))}
        hidden={hidden.stopped ?? 0}
      />
      <Part
        title="Would start later"
        items={found.later.map((each) => ({
          workload: each.workload,
          words: <Shift moved={each} looked={found.looked_at} />,
        }))}
        hidden={hidden.later ?? 0}
      />
      <Part
        title="Could not start any more"
        items={found.never.map((each) => ({ workload: each.workload, words: each.why ?? "" }))}
        hidden={hidden.never ?? 0}
      />
      <Part
        title="Would start earlier"
        items={[...found.earlier, ...found.possible].map((each) => ({
          workload: each.workload,
          words: <Shift moved={each} looked={found.looked_at} />,
        }))}
        hidden={(hidden.earlier ?? 0) + (hidden.possible ?? 0)}
      />
    </div>
  );
}

interface PartProps {
  title: string;
  items: readonly { workload: NamedWorkload; words: React.ReactNode }[];
  hidden: number;
}

function Part({ title, items, hidden }: PartProps) {
  const more = items.length - SHOWN + hidden;
  if (items.length + hidden === 0) return null;
  return (
    <section aria-label={title}>
      <h3 className={classes.title}>{title}</h3>
      <ul className={classes.moved}>
        {items.slice(0, SHOWN).map(({ workload, words }) => (
          <li key={`${workload.id} ${workload.name}`}>
            {workload.id ? (
              <Link to="/workloads/$id" params={{ id: workload.id }} search={{}}>
                {workload.name}
              </Link>
            ) : (
              workload.name
            )}
            <span className={classes.quiet}> {words}</span>
          </li>
        ))}
      </ul>
      {items.length > SHOWN && <p className={classes.quiet}>And {counted(more, "other")}.</p>}
      {items.length <= SHOWN && hidden > 0 && (
        <p className={classes.quiet}>{counted(hidden, "workload")} of other projects.</p>
      )}
    </section>
  );
}

function Shift({ moved: { before, after }, looked }: { moved: Moved; looked: string }) {
  return (
    <>
      <Start at={after} looked={looked} /> instead of <Start at={before} looked={looked} />
    </>
  );
}

function Start({ at, looked }: { at: string | null; looked: string }) {
  if (at === null) return "nobody knows when";
  if (Date.parse(at) <= Date.parse(looked)) return "now";
  return (
    <>
      about <Moment at={at} />
    </>
  );
}
