/** The page of workloads: the live list, with one of them opened in a panel beside it. */
import { getRouteApi, Outlet, useNavigate, useParams } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef } from "react";
import { BulkBar } from "../bulk/BulkBar";
import { useSelection } from "../bulk/selection";
import { useKeys } from "../frame/keys";
import { PageHeader } from "../frame/PageHeader";
import { useRowHeight } from "../theme/density";
import { FilterBar } from "./FilterBar";
import { beside, compact, type FilterChange, filtersRead, listed, noList } from "./filters";
import { focusedTurn, focusMove } from "./focus";
import { useDrawnRows } from "./useDrawnRows";
import { ViewTabs } from "./ViewTabs";
import { WorkloadList } from "./WorkloadList";
import { totalShort, useWindows } from "./windows";
import classes from "./workloads.module.css";

const route = getRouteApi("/workloads");

/** As the style sheet has it. */
const STACKED_ROW_PIXELS = 84;

export function WorkloadsPage() {
  const filters = filtersRead(route.useSearch());
  const list = JSON.stringify(listed(filters));
  const openId = useParams({ strict: false }).id;
  const navigate = useNavigate();
  const searchRef = useRef<HTMLInputElement>(null);
  const listRef = useRef<HTMLDivElement>(null);
  const rowPixels = useRowHeight();
  const sizes = useMemo(() => ({ rowPixels, stackedRowPixels: STACKED_ROW_PIXELS }), [rowPixels]);
  const drawn = useDrawnRows(listRef, sizes, list);
  const windows = useWindows(filters, drawn.first, drawn.last);
  const { rows, pending } = windows;
  const selecting = useSelection(filters, rows);

  const open = useCallback(
    (id: string) => void navigate({ to: "/workloads/$id", params: { id }, search: beside }),
    [navigate],
  );
  const change = (next: FilterChange) =>
    void navigate({
      to: ".",
      // Said as undefined and not left out: the project is kept where it is left out.
      search: (held) => {
        const others = { ...noList, ...held, ...noList };
        return { ...others, ...compact({ ...filters, ...next }) } as typeof held;
      },
      replace: "q" in next && Object.keys(next).length === 1,
    });

  // biome-ignore lint/correctness/useExhaustiveDependencies: another list is read from its top.
  useEffect(() => {
    if (listRef.current) listRef.current.scrollTop = 0;
  }, [list]);

  const turn = (event: KeyboardEvent) => focusedTurn(listRef.current, event.shiftKey);

  useKeys({
    "/": (event) => {
      event.preventDefault();
      searchRef.current?.focus();
    },
    j: () => focusMove(listRef.current, 1),
    k: () => focusMove(listRef.current, -1),
    x: turn,
    X: turn,
    // With a workload opened, Escape closes it first.
    Escape: () => openId === undefined && selecting.clear(),
  });

  return (
    <div className={classes.page} data-open={openId !== undefined || undefined}>
      <section className={classes.list} aria-label="Workloads">
        <PageHeader title="Workloads" count={pending ? undefined : totalShort(rows.total)} />
        <ViewTabs filters={filters} onOpen={change} />
        <FilterBar filters={filters} searchRef={searchRef} onChange={change} />
        <div className={classes.scroll} ref={listRef}>
          <WorkloadList
            windows={windows}
            filters={filters}
            list={list}
            drawn={drawn}
            scroll={listRef}
            onChange={change}
            openId={openId}
            onOpen={open}
            choosing={selecting}
          />
        </div>
        <BulkBar selecting={selecting} total={rows.total} />
      </section>
      <Outlet />
    </div>
  );
}
