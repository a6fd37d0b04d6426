/** What happened, oldest first, with who or what did it. */
import { Button } from "@mantine/core";
import type { WorkloadDetail, WorkloadEvent } from "../../api/types";
import { FailureState } from "../../frame/FailureState";
import { exactUtc } from "../../time/words";
import { useWorkloadEvents } from "../queries";
import { StateIcon } from "../StateIcon";
import { capitalised, shownState } from "../state";
import classes from "./detail.module.css";

export function HistoryList({ workload }: { workload: WorkloadDetail }) {
  const events = useWorkloadEvents(workload.id);
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = events;
  if (error && !data) return <FailureState error={error} onRetry={() => refetch()} />;
  const known = data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <ol className={classes.history}>
        {alikeGathered(known).map(({ event, ranks }) => (
          <li key={event.seq}>
            <span className={classes.historyIcon} data-tone={shownState(event.state).tone}>
              <StateIcon state={event.state} />
            </span>
            <span className={classes.historyWhat}>
              {eventInWords(event, ranks, workload.array ? "Task" : "Replica")}
              {event.message && <span className={classes.historyWhy}> · {event.message}</span>}
            </span>
            <time dateTime={event.at} title={`${exactUtc(event.at)} · by ${event.actor}`}>
              {localTime(event.at)}
            </time>
          </li>
        ))}
      </ol>
      {hasNextPage && (
        <div>
          <Button
            variant="default"
            loading={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            Show later events
          </Button>
        </div>
      )}
    </>
  );
}

interface Gathered {
  /** The first of those that say the same. */
  event: WorkloadEvent;
  ranks: number[];
}

/** Replicas to which the same happens one after another share a line. */
export function alikeGathered(events: readonly WorkloadEvent[]): Gathered[] {
  const found: Gathered[] = [];
  for (const event of events) {
    const last = found.at(-1);
    if (last && event.rank != null && isAlike(last.event, event)) last.ranks.push(event.rank);
    else found.push({ event, ranks: event.rank == null ? [] : [event.rank] });
  }
  return found;
}

function isAlike(one: WorkloadEvent, other: WorkloadEvent): boolean {
  return one.rank != null && one.kind === other.kind && one.message === other.message;
}

/** The server's name for itself, which not every line need say. */
const SERVER_ACTOR = "podium";

/** WorkloadStopRequested → Stop requested by ana; of replicas, with their ranks. */
export function eventInWords(
  { kind, cause, actor }: Pick<WorkloadEvent, "kind" | "cause" | "actor">,
  ranks: readonly number[] = [],
  part = "Replica",
): string {
  const words = kind
    .replace(/^(Workload|Replica)/, "")
    .replace(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toLowerCase();
  const what = kind === "WorkloadQueued" && cause === "submitted" ? "submitted" : words;
  const text =
    ranks.length === 0
      ? capitalised(what)
      : `${part}${ranks.length > 1 ? "s" : ""} ${ranksInWords(ranks)} ${what}`;
  return actor === SERVER_ACTOR ? text : `${text} by ${actor}`;
}

/** 0 to 6, 9 */
export function ranksInWords(ranks: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const rank of [...ranks].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && rank === run[1] + 1) run[1] = rank;
    else runs.push([rank, rank]);
  }
  return runs
    .map(([from, to]) =>
      from === to ? from : to === from + 1 ? `${from}, ${to}` : `${from} to ${to}`,
    )
    .join(", ");
}

function localTime(iso: string): string {
  const at = new Date(iso);
  const time = at.toLocaleTimeString("en-GB");
  const today = at.toDateString() === new Date().toDateString();
  return today
    ? time
    : `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${time}`;
}
