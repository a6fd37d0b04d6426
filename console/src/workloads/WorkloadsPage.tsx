/** The page of workloads: the live list, with one of them opened in a panel beside it. */
import { getRouteApi, Outlet, useNavigate, useParams } from "@tanstack/react-router";
import { useCallback, useEffect, useRef } from "react";
import { useKeys } from "../frame/keys";
import { PageHeader } from "../frame/PageHeader";
import { FilterBar } from "./FilterBar";
import { beside, compact, type FilterChange, filtersRead } from "./filters";
import { focusMove } from "./focus";
import { useWorkloadList } from "./queries";
import { WorkloadList } from "./WorkloadList";
import classes from "./workloads.module.css";

const route = getRouteApi("/workloads");

export function WorkloadsPage() {
  const filters = filtersRead(route.useSearch());
  const openId = useParams({ strict: false }).id;
  const navigate = useNavigate();
  const list = useWorkloadList(filters);
  const searchRef = useRef<HTMLInputElement>(null);
  const listRef = useRef<HTMLDivElement>(null);

  const open = useCallback(
    (id: string) => void navigate({ to: "/workloads/$id", params: { id }, search: beside }),
    [navigate],
  );
  const change = (next: FilterChange) =>
    void navigate({
      to: ".",
      search: ({ tab, rank }) => ({
        ...compact({ ...filters, ...next }),
        ...(tab && { tab }),
        ...(rank !== undefined && { rank }),
      }),
      replace: "q" in next,
    });
  const asked = JSON.stringify(filters);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list is read from its top.
  useEffect(() => {
    if (listRef.current) listRef.current.scrollTop = 0;
  }, [asked]);
  useKeys({
    "/": (event) => {
      event.preventDefault();
      searchRef.current?.focus();
    },
    j: () => focusMove(listRef.current, 1),
    k: () => focusMove(listRef.current, -1),
  });

  return (
    <div className={classes.page} data-open={openId !== undefined || undefined}>
      <section className={classes.list} aria-label="Workloads">
        <PageHeader title="Workloads" count={countInWords(list.data, list.hasNextPage)} />
        <FilterBar filters={filters} searchRef={searchRef} onChange={change} />
        <div className={classes.scroll} ref={listRef}>
          <WorkloadList
            list={list}
            filters={filters}
            scroll={listRef}
            onOrder={(order) => change({ order })}
            openId={openId}
            onOpen={open}
          />
        </div>
      </section>
      <Outlet />
    </div>
  );
}

function countInWords(
  data: { pages: { items: unknown[] }[] } | undefined,
  more: boolean,
): string | undefined {
  if (!data) return undefined;
  const loaded = data.pages.reduce((sum, page) => sum + page.items.length, 0);
  return `${loaded.toLocaleString("en")}${more ? "+" : ""}`;
}
