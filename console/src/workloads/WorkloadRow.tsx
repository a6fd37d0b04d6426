/** One workload of the list. */
import { Link } from "@tanstack/react-router";
import { type MouseEvent, memo } from "react";
import type { Workload } from "../api/types";
import { Duration, RelativeTime } from "../time/Times";
import { beside } from "./filters";
import { shortId } from "./names";
import { rowInWords } from "./progress";
import { ReplicaProgress } from "./ReplicaProgress";
import { StateBadge } from "./StateIcon";
import { capitalised } from "./state";
import classes from "./workloads.module.css";

interface Props {
  workload: Workload;
  index: number;
  open: boolean;
  /** Whether another row has the same name, so that it takes the id to tell them apart. */
  alike: boolean;
  onOpen: (id: string) => void;
  measure: ((row: HTMLTableRowElement | null) => void) | undefined;
}

function RunningFor({ workload: { state, started_at } }: Pick<Props, "workload">) {
  if (state !== "running" || !started_at) return null;
  return (
    <>
      Running for <Duration start={started_at} />
    </>
  );
}

export const WorkloadRow = memo(function WorkloadRow(props: Props) {
  const { workload, index, open, alike, onOpen, measure } = props;
  const detail = rowInWords(workload);

  function press(event: MouseEvent<HTMLTableRowElement>) {
    const onLink = event.target instanceof Element && event.target.closest("a, button");
    if (onLink || window.getSelection()?.toString()) return;
    onOpen(workload.id);
  }

  return (
    // The keyboard has the link in the row.
    <tr
      ref={measure}
      onClick={press}
      data-open={open || undefined}
      data-index={index}
      aria-rowindex={index + 2}
    >
      <td data-column="state">
        <StateBadge state={workload.state} />
      </td>
      <td data-column="name" title={alike ? `${workload.name} ${workload.id}` : workload.name}>
        <Link
          to="/workloads/$id"
          params={{ id: workload.id }}
          search={beside}
          className={classes.nameLink}
          data-row-link
        >
          <span className={classes.nameText}>{workload.name}</span>
          {alike && <code className={classes.shortId}>{shortId(workload.id)}</code>}
        </Link>
      </td>
      <td data-column="project">{workload.project}</td>
      <td data-column="kind">{capitalised(workload.kind)}</td>
      <td data-column="detail" title={detail || undefined}>
        {detail || <RunningFor workload={workload} />}
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
