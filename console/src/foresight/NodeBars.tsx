/** Why nodes fell out, one bar for each reason. */
import type { NodeGroup } from "../api/types";
import { counted } from "../quantity/words";
import classes from "./foresight.module.css";

const NAMES_SHOWN = 3;

export function NodeBars({ groups }: { groups: readonly NodeGroup[] }) {
  const most = Math.max(...groups.map(({ count }) => count));
  const all = groups.reduce((sum, { count }) => sum + count, 0);
  return (
    <section aria-label="Why the nodes fell out">
      <h3 className={classes.title}>{counted(all, "node")} looked at</h3>
      <ul className={classes.bars}>
        {groups.map((group) => (
          <li key={`${group.fell} ${group.words}`} title={namesOf(group)}>
            <span className={classes.bar} aria-hidden>
              <span style={{ width: `${Math.max(3, (100 * group.count) / most)}%` }} />
            </span>
            <span className={classes.count}>{group.count.toLocaleString("en")}</span>
            <span className={classes.words}>
              {group.words}
              <span className={classes.names}>{namesOf(group)}</span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function namesOf({ nodes, count }: NodeGroup): string {
  const names = nodes.slice(0, NAMES_SHOWN).join(", ");
  return count > NAMES_SHOWN ? `${names}, …` : names;
}
