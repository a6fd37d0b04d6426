/** One workload beside the list, at its own address: what it is, why, and the evidence below. */
import { useMediaQuery } from "@mantine/hooks";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { WorkloadDetail } from "../../api/types";
import { Copyable } from "../../frame/Copyable";
import { FailureState } from "../../frame/FailureState";
import { CloseIcon } from "../../frame/icons";
import { useKeys } from "../../frame/keys";
import { useTitle } from "../../frame/title";
import { filtersRead } from "../filters";
import { useWorkload } from "../queries";
import { ReplicaOverview } from "../ReplicaProgress";
import { StateBadge } from "../StateIcon";
import { isEnded, waitingOf } from "../state";
import { CancelButton } from "./CancelButton";
import { DetailTabs } from "./DetailTabs";
import classes from "./detail.module.css";
import { Facts } from "./Facts";
import { sentence } from "./sentence";
import { Waiting } from "./Waiting";

export function WorkloadPanel() {
  const { id } = useParams({ from: "/workloads/$id" });
  const navigate = useNavigate();
  const workload = useWorkload(id);
  const panel = useRef<HTMLElement>(null);
  const close = () => void navigate({ to: "/workloads", search: filtersRead });
  useKeys({ Escape: close });
  // What was opened is what one reads next, for the keyboard and for a screen reader alike.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another workload is another reading.
  useEffect(() => panel.current?.focus({ preventScroll: true }), [id]);

  return (
    <aside ref={panel} tabIndex={-1} className={classes.panel} aria-label="Workload">
      {workload.data && <Opened workload={workload.data} />}
      {workload.isPending && <Heading name="" />}
      {workload.isError && !workload.data && (
        <>
          <Heading name={id} />
          <FailureState error={workload.error} onRetry={() => workload.refetch()} />
        </>
      )}
    </aside>
  );
}

function Opened({ workload }: { workload: WorkloadDetail }) {
  const waiting = waitingOf(workload);
  return (
    <>
      <Heading name={workload.name} />
      <div className={classes.lead}>
        <span className={classes.leadState}>
          <StateBadge state={workload.state} />
          <Copyable text={workload.id} />
        </span>
        {!isEnded(workload.state) && workload.state !== "stopping" && (
          <CancelButton workload={workload} />
        )}
      </div>
      <p className={classes.sentence}>{sentence(workload)}</p>
      {workload.array && workload.state !== "queued" && (
        <ReplicaOverview counts={workload.replicas} />
      )}
      {waiting && <Waiting workload={workload} refusal={waiting} />}
      <Facts workload={workload} />
      <DetailTabs workload={workload} />
    </>
  );
}

function Heading({ name }: { name: string }) {
  useTitle(name || "Workload");
  // Where there is no room for the list beside it, the panel is the page.
  const alone = useMediaQuery("(max-width: 1199px)");
  return (
    <header className={classes.heading}>
      <h2 className={classes.name} aria-level={alone ? 1 : 2}>
        {name}
      </h2>
      <Link
        to="/workloads"
        search={filtersRead}
        className={classes.close}
        aria-label="Close"
        title="Close (Esc)"
      >
        <CloseIcon />
      </Link>
    </header>
  );
}
