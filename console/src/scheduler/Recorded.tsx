/** The cycles that changed something: what each did, and the means to decide it again. */
import type { Cycles } from "../api/types";
import { FailureState } from "../frame/FailureState";
import { Skeleton } from "../frame/PageState";
import { ShowMore } from "../frame/ShowMore";
import { bytesInWords, counted } from "../quantity/words";
import { CycleRow } from "./CycleRow";
import { useCycles } from "./queries";
import { Section } from "./Section";
import classes from "./scheduler.module.css";
import { useStill } from "./useStill";

export function Recorded() {
  const list = useCycles();
  const first = list.data?.pages[0];
  const pages = list.data?.pages ?? [];
  const { shown: rows, handlers } = useStill(
    pages.flatMap((page) => page.items),
    pages.length,
  );
  return (
    <Section title="Recorded cycles" count={first?.kept.cycles.toLocaleString("en")}>
      {list.isPending && <Skeleton rows={6} label="Loading cycles" />}
      {list.error && !list.data && (
        <FailureState error={list.error} onRetry={() => list.refetch()} />
      )}
      {first && <p className={classes.nothing}>{keptInWords(first.kept)}</p>}
      {rows.length > 0 && (
        <table
          className={classes.table}
          aria-label="Recorded cycles"
          data-table="cycles"
          {...handlers}
        >
          <thead>
            <tr>
              <th scope="col" data-number>
                Cycle
              </th>
              <th scope="col">When</th>
              <th scope="col" data-number>
                Took
              </th>
              <th scope="col">Did</th>
              <th scope="col" data-number>
                Waiting
              </th>
              <th scope="col">Refused for</th>
              <th scope="col">
                <span className={classes.hidden}>Decide again</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((each) => (
              <CycleRow key={each.id} cycle={each} />
            ))}
          </tbody>
        </table>
      )}
      <ShowMore list={list} />
    </Section>
  );
}

function keptInWords({ cycles, bytes, bytes_max, hours, note }: Cycles["kept"]): string {
  const kept =
    cycles === 0
      ? "No cycle is recorded yet. One is when work is placed, has to wait or gives way."
      : `${counted(cycles, "cycle")} that changed something can be decided again: the last ${hours} h, ${bytesInWords(bytes)} of at most ${bytesInWords(bytes_max)}.`;
  return note ? `${kept} ${note}` : kept;
}
