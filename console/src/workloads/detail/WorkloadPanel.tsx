/** One workload, beside the list or as a page: what it is, why, and the evidence below. */
import { useMediaQuery } from "@mantine/hooks";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import type { WorkloadDetail } from "../../api/types";
import { CloseIcon } from "../../frame/icons";
import { useKeys } from "../../frame/keys";
import { PageState } from "../../frame/PageState";
import { useTitle } from "../../frame/title";
import { LiveDot } from "../../stream/LiveDot";
import { filtersRead } from "../filters";
import { useWorkload } from "../queries";
import { ReplicaOverview } from "../ReplicaProgress";
import { StateBadge } from "../StateIcon";
import { waitingOf } from "../state";
import { Actions } from "./Actions";
import { DetailTabs } from "./DetailTabs";
import classes from "./detail.module.css";
import { type Asked, AskedDialog } from "./dialogs";
import { Facts } from "./Facts";
import { Figures } from "./Figures";
import { HoldUp } from "./HoldUp";
import { ExpandIcon } from "./icons";
import { Remedy } from "./Remedy";
import { sentence } from "./sentence";
import { changed, useDetailSearch } from "./useDetailSearch";
import { Waiting } from "./Waiting";

export function WorkloadPanel() {
  const { id } = useParams({ from: "/workloads/$id" });
  const {
    search: { as },
    change,
  } = useDetailSearch();
  const navigate = useNavigate();
  const workload = useWorkload(id);
  const panel = useRef<HTMLElement>(null);
  const asPage = as === "page";
  useKeys({
    Escape: () => void navigate({ to: "/workloads", search: filtersRead }),
    o: () => change({ as: asPage ? undefined : "page" }),
  });
  // What was opened is what one reads next, for the keyboard and for a screen reader alike.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another workload is another reading.
  useEffect(() => panel.current?.focus({ preventScroll: true }), [id]);

  return (
    <aside ref={panel} tabIndex={-1} className={classes.panel} data-as={as} aria-label="Workload">
      <Heading name={workload.data?.name ?? (workload.isPending ? "" : id)} asPage={asPage} />
      {workload.data ? (
        // Dialogs and what else was open belong to one workload.
        <Opened key={id} workload={workload.data} asPage={asPage} />
      ) : (
        <PageState query={workload} what="this workload" rows={10} />
      )}
    </aside>
  );
}

function Opened({ workload, asPage }: { workload: WorkloadDetail; asPage: boolean }) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const waiting = waitingOf(workload);
  return (
    <>
      <div className={classes.lead}>
        <span className={classes.leadState}>
          <StateBadge state={workload.state} />
        </span>
        <Actions workload={workload} onAsk={setAsked} />
      </div>
      <p className={classes.sentence}>{sentence(workload)}</p>
      <div className={classes.body}>
        <div className={classes.about}>
          {workload.array && workload.state !== "queued" && (
            <ReplicaOverview counts={workload.replicas} />
          )}
          {waiting && <Waiting workload={workload} refusal={waiting} onAsk={setAsked} />}
          {workload.hold_up && <HoldUp workload={workload} holdUp={workload.hold_up} />}
          {workload.remedy && (
            <section className={classes.waiting} data-tone="failed" aria-label="What helps">
              <Remedy text={workload.remedy} />
            </section>
          )}
          <Figures workload={workload} />
          <Facts workload={workload} folds={!asPage} />
        </div>
        <DetailTabs workload={workload} />
      </div>
      <AskedDialog asked={asked} workload={workload} onClose={() => setAsked(null)} />
    </>
  );
}

function Heading({ name, asPage }: { name: string; asPage: boolean }) {
  useTitle(name || "Workload");
  // Where there is no room for the list beside it, the panel is the page.
  const narrow = useMediaQuery("(max-width: 1199px)");
  const alone = narrow || asPage;
  return (
    <header className={classes.heading}>
      {alone && (
        <Link to="/workloads" search={filtersRead} className={classes.back}>
          Workloads
        </Link>
      )}
      <h2 className={classes.name} aria-level={alone ? 1 : 2}>
        {name}
      </h2>
      {alone && <LiveDot />}
      {!narrow && (
        <Link
          to="."
          search={(held) => changed(held, { as: asPage ? undefined : "page" })}
          className={classes.close}
          aria-label={asPage ? "Show beside the list" : "Open as page"}
          title={asPage ? "Show beside the list (o)" : "Open as page (o)"}
        >
          <ExpandIcon inward={asPage} />
        </Link>
      )}
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
