/** What happened, oldest first, with who or what did it. */
import type { WorkloadEvent } from "../../api/types";
import { FailureState } from "../../frame/FailureState";
import { exactUtc } from "../../time/words";
import { useWorkloadEvents } from "../queries";
import { StateIcon } from "../StateIcon";
import { shownState } from "../state";
import classes from "./detail.module.css";

export function HistoryList({ id }: { id: string }) {
  const { data, error, refetch } = useWorkloadEvents(id);
  if (error && !data) return <FailureState error={error} onRetry={() => refetch()} />;
  return (
    <ol className={classes.history}>
      {data?.items.map((event) => (
        <li key={event.seq}>
          <span className={classes.historyIcon} data-tone={shownState(event.state).tone}>
            <StateIcon state={event.state} />
          </span>
          <span className={classes.historyWhat}>
            {eventInWords(event)}
            {event.message && <span className={classes.historyWhy}> {event.message}</span>}
          </span>
          <time dateTime={event.at} title={`${exactUtc(event.at)} · by ${event.actor}`}>
            {localTime(event.at)}
          </time>
        </li>
      ))}
    </ol>
  );
}

/** WorkloadStopRequested → Stop requested; of a replica, with its rank. */
export function eventInWords({ kind, rank }: Pick<WorkloadEvent, "kind" | "rank">): string {
  const words = kind
    .replace(/^(Workload|Replica)/, "")
    .replace(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toLowerCase();
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return rank == null ? text : `Replica ${rank}: ${words}`;
}

function localTime(iso: string): string {
  const at = new Date(iso);
  const time = at.toLocaleTimeString("en-GB");
  const today = at.toDateString() === new Date().toDateString();
  return today
    ? time
    : `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${time}`;
}
