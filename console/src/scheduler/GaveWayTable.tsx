/** Who had to give way: for whom, why that was right, and what it cost. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { GaveWay } from "../api/types";
import { FailureState } from "../frame/FailureState";
import { Skeleton } from "../frame/PageState";
import { counted, gpuTimeInWords } from "../quantity/words";
import { RelativeTime } from "../time/Times";
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
        <table
          className={classes.table}
          aria-label="Work that gave way"
          data-table="gave-way"
          {...handlers}
        >
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Gave way</th>
              <th scope="col">To</th>
              <th scope="col">Why</th>
              <th scope="col" data-number>
                Cost
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((each) => (
              <Row key={each.id} each={each} />
            ))}
          </tbody>
        </table>
      )}
      {list.hasNextPage && (
        <div className={classes.more}>
          <Button
            variant="default"
            loading={list.isFetchingNextPage}
            onClick={() => list.fetchNextPage()}
          >
            Show more
          </Button>
        </div>
      )}
    </Section>
  );
}

function Row({ each }: { each: GaveWay }) {
  return (
    <tr>
      <td data-column="at">
        <RelativeTime at={each.at} />
      </td>
      <td data-column="who">
        <Who named={each.workload} />
        <span className={classes.under}>
          {each.whole ? "all of it" : `${counted(each.replicas, "replica")} of it`}
        </span>
      </td>
      <td data-column="to">
        <span className={classes.narrow}>to </span>
        {each.booking == null ? (
          <Who named={each.in_favour_of} />
        ) : (
          <span>{each.booking ? `booking ${each.booking}` : "a booking"}</span>
        )}
      </td>
      <td data-column="why">{sentence(each.justification)}</td>
      <td data-number data-column="cost" title="GPU time since it was last saved">
        {each.lost_gpu_seconds > 0 ? gpuTimeInWords(each.lost_gpu_seconds) : "nothing"}
      </td>
    </tr>
  );
}

function Who({ named }: { named: GaveWay["workload"] | undefined }) {
  if (!named) return <span className={classes.quiet}>work that is gone</span>;
  return (
    <>
      <Link to="/workloads/$id" params={{ id: named.id }}>
        {named.name}
      </Link>{" "}
      <span className={classes.quiet}>{named.project}</span>
    </>
  );
}

function sentence(words: string): string {
  return (
    words && `${words.charAt(0).toUpperCase()}${words.slice(1)}${words.endsWith(".") ? "" : "."}`
  );
}
