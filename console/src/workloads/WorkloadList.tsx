/** The list in each of its conditions: loading, failed, empty, filled. */
import { Button } from "@mantine/core";
import { type PointerEvent, type RefObject, useState } from "react";
import { ProblemError } from "../api/problem";
import { EmptyState } from "../frame/EmptyState";
import { FailureState } from "../frame/FailureState";
import { FirstRun } from "../frame/FirstRun";
import { NoPermission } from "../frame/PageState";
import { counted } from "../quantity/words";
import { type FilterChange, isFiltered, noFilters, type WorkloadFilters } from "./filters";
import { LoadingRows } from "./LoadingRows";
import type { Drawn } from "./useDrawnRows";
import { useKeptRows } from "./useKeptRows";
import { type Choosing, WorkloadTable } from "./WorkloadTable";
import type { Windows } from "./windows";
import classes from "./workloads.module.css";

interface Props {
  windows: Windows;
  filters: WorkloadFilters;
  /** Which list it is; another list starts afresh. */
  list: string;
  drawn: Drawn;
  scroll: RefObject<HTMLElement | null>;
  onChange: (change: FilterChange) => void;
  openId: string | undefined;
  onOpen: (id: string) => void;
  choosing: Choosing;
}

export function WorkloadList(props: Props) {
  const { windows, filters, list, drawn, scroll, onChange, openId, onOpen, choosing } = props;
  const [held, setHeld] = useState(false);
  const { pending, error, retry } = windows;
  const { rows, above, release } = useKeptRows({
    live: windows.rows,
    list: pending ? `${list} before` : list,
    held: held && !pending,
    drawn,
    scroll,
  });
  const isFirst = pending && rows.total === 0;
  if (error && (pending || rows.total === 0)) {
    if (error instanceof ProblemError && error.status === 403) {
      return <NoPermission what="workloads" detail={error.message} />;
    }
    return <FailureState error={error} onRetry={retry} />;
  }
  if (isFirst) return <LoadingRows />;
  if (rows.total === 0) return <NothingHere filters={filters} onChange={onChange} />;
  // A finger that scrolls holds nothing: only a pointer that hovers can be on a row.
  const hover = (over: boolean) => (event: PointerEvent) =>
    setHeld(over && event.pointerType === "mouse");
  const isByTime = filters.sort === undefined && filters.order === undefined;
  return (
    <>
      {above > 0 && isByTime && (
        <button type="button" className={classes.arrived} onClick={release}>
          Show {counted(above, "new workload")}
        </button>
      )}
      {error && (
        <button type="button" className={classes.arrived} data-failed onClick={retry}>
          Some rows could not be read. Try again
        </button>
      )}
      <div onPointerEnter={hover(true)} onPointerLeave={hover(false)} className={classes.rows}>
        <WorkloadTable
          rows={rows}
          drawn={{ ...drawn, ...drawn.upTo(rows.total) }}
          filters={filters}
          stale={pending}
          onSort={(sort, order) => onChange({ sort, order })}
          openId={openId}
          onOpen={onOpen}
          choosing={choosing}
        />
      </div>
    </>
  );
}

function NothingHere({ filters, onChange }: Pick<Props, "filters" | "onChange">) {
  if (isFiltered(filters)) {
    return (
      <EmptyState
        title="No workload matches"
        sentence="Nothing here has all that the filters ask for."
        action={
          <Button variant="default" onClick={() => onChange({ ...noFilters, view: undefined })}>
            Clear filters
          </Button>
        }
      />
    );
  }
  if (filters.project) {
    return (
      <EmptyState
        title={`No workloads in ${filters.project.join(" or ")} yet`}
        sentence="What is submitted to this project shows here at once."
        example={`podium run --project ${filters.project[0]} -- python train.py`}
        action={
          <Button variant="default" onClick={() => onChange({ project: undefined })}>
            Show all projects
          </Button>
        }
      />
    );
  }
  return <FirstRun />;
}
