/** The waiting workloads in the order of service: whose turn it is and why, and why it waits. */
import { Link } from "@tanstack/react-router";
import { counted } from "../quantity/words";
import { Duration, Moment } from "../time/Times";
import { momentInWords } from "../time/words";
import { useTimeZone } from "../time/zone";
import { isGrouped } from "../workloads/asked";
import { reasonInWords } from "../workloads/reasons";
import { type QueueRow, shareInWords, type Turn } from "./plan";
import classes from "./queue.module.css";

export function QueueTable({ rows }: { rows: readonly QueueRow[] }) {
  return (
    <table className={classes.table} aria-label="Waiting workloads in the order of service">
      <thead>
        <tr>
          <th scope="col" data-column="position">
            Place
          </th>
          <th scope="col">Workload</th>
          <th scope="col" data-column="asks">
            Asks for
          </th>
          <th scope="col" data-column="turn">
            Why its turn
          </th>
          <th scope="col" data-column="waits">
            Waits for
          </th>
          <th scope="col" data-column="starts">
            Expected
          </th>
          <th scope="col" data-column="why">
            Why it waits
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) =>
          row.kind === "others" ? (
            <tr key={row.key} data-others>
              <td data-column="position">{row.from.toLocaleString("en")}</td>
              <td colSpan={6} data-column="others">
                {counted(row.count, "workload")} of others
              </td>
            </tr>
          ) : (
            <WaitingRow key={row.key} row={row} />
          ),
        )}
      </tbody>
    </table>
  );
}

function WaitingRow({ row }: { row: Extract<QueueRow, { kind: "mine" }> }) {
  const { position, workload, turn, why, entry } = row;
  const priority = turn?.priority ?? entry?.workload.priority;
  const waiting = entry?.workload.waiting ?? turn?.refusal;
  const owner = workload.owner ?? entry?.workload.owner;
  return (
    <tr>
      <td
        data-column="position"
        title={
          position === null
            ? "Its turn comes after others that ask for the same, or is not known yet"
            : undefined
        }
      >
        {position === null ? "–" : position.toLocaleString("en")}
      </td>
      <td data-column="name">
        <Link to="/workloads/$id" params={{ id: workload.id }} title={workload.name}>
          {workload.name}
        </Link>
        <span className={classes.owner}>
          {workload.project}
          {owner && ` · ${owner}`}
        </span>
      </td>
      <td data-column="asks" title={entry?.workload.resources.text}>
        {entry && (
          <>
            {entry.workload.replicas.total > 1 &&
              !isGrouped(entry.workload) &&
              `${entry.workload.replicas.total.toLocaleString("en")} × `}
            {entry.workload.resources.text}
          </>
        )}
      </td>
      <td data-column="turn">
        {why && <span className={classes.turn}>{why}</span>}
        <span className={classes.under}>
          {priority !== undefined && why !== `Priority ${priority}` && `Priority ${priority}`}
          {turn && turn.share_ppm !== null && (
            <span title="What its project has of what is due to it; the least goes first">
              {why === `Priority ${priority}` ? "" : " · "}
              share {shareInWords(turn.share_ppm)}
            </span>
          )}
        </span>
      </td>
      <td data-column="waits">
        {entry ? (
          <Duration start={entry.workload.queued_at} />
        ) : (
          turn && <Duration start={new Date(Date.now() - turn.waits_for_ms).toISOString()} />
        )}
      </td>
      <td data-column="starts" data-none={!(turn?.starts_at || turn?.eta) || undefined}>
        {turn ? <Starts turn={turn} /> : <span>–</span>}
      </td>
      <td data-column="why">
        {waiting && (
          <>
            <span className={classes.reason}>{reasonInWords(waiting.reason)}</span>
            <span className={classes.message}>{waiting.message}</span>
          </>
        )}
      </td>
    </tr>
  );
}

/** When it will begin: at its reservation, or as far as one can tell. */
function Starts({ turn: { starts_at, eta } }: { turn: Turn }) {
  const zone = useTimeZone();
  if (starts_at) {
    return (
      <>
        <Moment at={starts_at} />
        <span className={classes.under}>reserved</span>
      </>
    );
  }
  if (!eta) return <span title="Nobody can tell yet">–</span>;
  const moment = (iso: string) => momentInWords(iso, zone, Date.now());
  return (
    <>
      <span className={classes.about}>about </span>
      <Moment at={eta.likely} />
      <span className={classes.under}>
        {moment(eta.early)} – {moment(eta.late)}
      </span>
    </>
  );
}
