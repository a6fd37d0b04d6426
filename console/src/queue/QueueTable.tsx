/** The waiting workloads in the order of service. */
import { Link } from "@tanstack/react-router";
import type { QueueEntry } from "../api/types";
import { Duration } from "../time/Times";
import { reasonInWords } from "../workloads/reasons";
import classes from "./queue.module.css";

export function QueueTable({ entries }: { entries: readonly QueueEntry[] }) {
  return (
    <table className={classes.table} aria-label="Waiting workloads in the order of service">
      <thead>
        <tr>
          <th scope="col" data-column="position">
            Place
          </th>
          <th scope="col">Workload</th>
          <th scope="col" data-column="project">
            Project
          </th>
          <th scope="col" data-column="priority">
            Priority
          </th>
          <th scope="col" data-column="asks">
            Asks for
          </th>
          <th scope="col" data-column="waits">
            Waits for
          </th>
          <th scope="col" data-column="why">
            Why
          </th>
        </tr>
      </thead>
      <tbody>
        {entries.map(({ position, workload }) => (
          <tr key={workload.id}>
            <td data-column="position">{position.toLocaleString("en")}</td>
            <td data-column="name">
              <Link to="/workloads/$id" params={{ id: workload.id }} title={workload.name}>
                {workload.name}
              </Link>
              <span className={classes.owner}>{workload.owner}</span>
            </td>
            <td data-column="project">{workload.project}</td>
            <td data-column="priority">{workload.priority}</td>
            <td data-column="asks">
              {workload.replicas.total > 1 && `${workload.replicas.total.toLocaleString("en")} × `}
              {workload.resources.text}
            </td>
            <td data-column="waits">
              <Duration start={workload.queued_at} />
            </td>
            <td data-column="why">
              {workload.waiting && (
                <>
                  <span className={classes.reason}>{reasonInWords(workload.waiting.reason)}</span>
                  <span className={classes.message}>{workload.waiting.message}</span>
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
