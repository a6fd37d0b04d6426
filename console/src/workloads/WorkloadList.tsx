/** The list in each of its conditions: loading, failed, empty, filled. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type PointerEvent, type RefObject, useCallback, useState } from "react";
import { EmptyState } from "../frame/EmptyState";
import { FailureState } from "../frame/FailureState";
import { counted } from "../quantity/words";
import { isFiltered, type WorkloadFilters } from "./filters";
import { LoadingRows } from "./LoadingRows";
import type { useWorkloadList } from "./queries";
import { useHeldRows } from "./useHeldRows";
import { type Order, WorkloadTable } from "./WorkloadTable";
import classes from "./workloads.module.css";

interface Props {
  list: ReturnType<typeof useWorkloadList>;
  filters: WorkloadFilters;
  scroll: RefObject<HTMLElement | null>;
  onOrder: (order: Order) => void;
  openId: string | undefined;
  onOpen: (id: string) => void;
}

export function WorkloadList({ list, filters, scroll, onOrder, openId, onOpen }: Props) {
  const [held, setHeld] = useState(false);
  const known = list.data?.pages.flatMap((page) => page.items) ?? [];
  const { rows, waiting, release } = useHeldRows(known, held && !list.isPlaceholderData);

  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const readOn = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  if (list.isPending) return <LoadingRows />;
  if (list.isError && known.length === 0) {
    return <FailureState error={list.error} onRetry={() => list.refetch()} />;
  }
  if (rows.length === 0) return <NothingHere filtered={isFiltered(filters)} />;

  // A finger that scrolls holds nothing: only a pointer that hovers can be on a row.
  const hover = (over: boolean) => (event: PointerEvent) =>
    setHeld(over && event.pointerType === "mouse");
  return (
    <>
      {waiting > 0 && (
        <button type="button" className={classes.arrived} onClick={release}>
          Show {counted(waiting, "new workload")}
        </button>
      )}
      <div onPointerEnter={hover(true)} onPointerLeave={hover(false)}>
        <WorkloadTable
          rows={rows}
          scroll={scroll}
          order={filters.order}
          onOrder={onOrder}
          openId={openId}
          onOpen={onOpen}
          onNearEnd={hasNextPage ? readOn : undefined}
        />
      </div>
      {hasNextPage && (
        <div className={classes.more}>
          <Button variant="default" loading={isFetchingNextPage} onClick={readOn}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

function NothingHere({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <EmptyState
        title="No workload matches"
        sentence="Nothing here has all that the filters ask for."
        action={
          <Button variant="default" component={Link} to="/workloads">
            Clear filters
          </Button>
        }
      />
    );
  }
  return (
    <EmptyState
      title="No workloads yet"
      sentence="A workload is a command that Podium runs for you where there is room. Start one from a terminal; it shows here at once."
      example="podium run -- python train.py"
    />
  );
}
