/** Who had to give way: for whom, why that was right, and what it cost. */
import { GaveWayRows } from "../foresight/GaveWayRows";
import { FailureState } from "../frame/FailureState";
import { Skeleton } from "../frame/PageState";
import { ShowMore } from "../frame/ShowMore";
import { counted } from "../quantity/words";
import { usePreemptions } from "./queries";
import { Section } from "./Section";
import classes from "./scheduler.module.css";
import { useStill } from "./useStill";

export function GaveWayTable() {
  const list = usePreemptions();
  const pages = list.data?.pages ?? [];
  const { shown: rows, handlers } = useStill(
    pages.flatMap((page) => page.items),
    pages.length,
  );
  return (
    <Section title="Gave way">
      {list.isPending && <Skeleton rows={3} label="Loading who gave way" />}
      {list.error && !list.data && (
        <FailureState error={list.error} onRetry={() => list.refetch()} />
      )}
      {list.data && rows.length === 0 && (
        <p className={classes.nothing}>
          Nobody had to give way. Running work is stopped only for work that has a right to its
          place.
        </p>
      )}
      {rows.length > 0 && (
        <GaveWayRows
          aria-label="Work that gave way"
          rows={rows}
          keyOf={({ id }) => id}
          partOf={({ whole, replicas }) =>
            whole ? "all of it" : `${counted(replicas, "replica")} of it`
          }
          unknown="work that is gone"
          {...handlers}
        />
      )}
      <ShowMore list={list} />
    </Section>
  );
}
