/** One workload of the list. */
import { Link } from "@tanstack/react-router";
import { type MouseEvent, memo } from "react";
import type { Workload } from "../api/types";
import { RelativeTime } from "../time/Times";
import { ReplicaProgress } from "./ReplicaProgress";
import { StateBadge } from "./StateIcon";
import { capitalised, waitingOf } from "./state";
import classes from "./workloads.module.css";

interface Props {
  workload: Workload;
  open: boolean;
  onOpen: (id: string) => void;
}

export const WorkloadRow = memo(function WorkloadRow({ workload, open, onOpen }: Props) {
  const why = waitingOf(workload)?.message ?? workload.message;

  function press(event: MouseEvent<HTMLTableRowElement>) {
    const onLink = event.target instanceof Element && event.target.closest("a, button");
    if (onLink || window.getSelection()?.toString()) return;
    onOpen(workload.id);
  }

  return (
    // The keyboard has the link in the row.
    <tr onClick={press} data-open={open || undefined}>
      <td data-column="state">
        <StateBadge state={workload.state} />
      </td>
      <td data-column="name" title={workload.name}>
        <Link
          to="/workloads/$id"
          params={{ id: workload.id }}
          search={(kept) => kept}
          className={classes.nameLink}
          data-row-link
        >
          {workload.name}
        </Link>
      </td>
      <td data-column="project">{workload.project}</td>
      <td data-column="kind">{capitalised(workload.kind)}</td>
      <td data-column="why" title={why}>
        {why}
      </td>
      <td data-column="resources" title={workload.resources.text}>
        {workload.resources.text}
      </td>
      <td data-column="replicas">
        <ReplicaProgress counts={workload.replicas} state={workload.state} />
      </td>
      <td data-column="owner">{workload.owner}</td>
      <td data-column="submitted">
        <RelativeTime at={workload.submitted_at} />
      </td>
    </tr>
  );
});
