/** The audit trail: who did what and when, newest first, and whether it is as it was written. For
 * who may read it in some project; its state and its seals for who may read all of it. */
import { useEffect, useRef } from "react";
import { EmptyState } from "../frame/EmptyState";
import { useKeys } from "../frame/keys";
import { PageHeader } from "../frame/PageHeader";
import { NoPermission, PageState } from "../frame/PageState";
import { ShowMore } from "../frame/ShowMore";
import { useProject } from "../projects/scope";
import { useMay, useMaySomewhere } from "../session/queries";
import { focusMove } from "../workloads/focus";
import bar from "../workloads/workloads.module.css";
import classes from "./audit.module.css";
import { EntryPanel } from "./EntryPanel";
import { ExportMenu } from "./ExportMenu";
import { FilterBar } from "./FilterBar";
import { useTrail } from "./queries";
import { type AuditSearch, isFiltered, noFilters } from "./search";
import { Trail } from "./Trail";
import { TrailState } from "./TrailState";
import { useArrivals } from "./useArrivals";
import { useAuditSearch } from "./useAuditSearch";

export default function AuditPage() {
  const mayRead = useMaySomewhere()("audit:read");
  if (mayRead) return <Room />;
  return (
    <section className={classes.list}>
      <PageHeader title="Audit" />
      <NoPermission
        what="the audit trail"
        detail="Administrators, auditors and leads of projects see this page."
      />
    </section>
  );
}

function Room() {
  const [search, change] = useAuditSearch();
  const project = useProject();
  const mayReadAll = useMay()("audit:read");
  const { list, entries, listKey, stale } = useTrail(search, project);
  const { shown, waiting, hold, show } = useArrivals(entries, listKey);
  const searchRef = useRef<HTMLInputElement>(null);
  const scroll = useRef<HTMLDivElement>(null);
  const open = search.entry;
  const at = shown.findIndex(({ seq }) => String(seq) === open);
  const newer = at > 0 ? shown[at - 1] : undefined;
  const older = at >= 0 ? shown[at + 1] : undefined;
  const onOpen = (entry: string | undefined) => change({ entry });

  function close() {
    const link = scroll.current?.querySelector<HTMLElement>("[aria-current][data-row-link]");
    onOpen(undefined);
    link?.focus({ preventScroll: true });
  }

  function step(by: 1 | -1) {
    if (open === undefined) return focusMove(scroll.current, by);
    const next = by === 1 ? older : newer;
    if (next) onOpen(String(next.seq));
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: another list is read from its top.
  useEffect(() => {
    if (scroll.current) scroll.current.scrollTop = 0;
  }, [listKey]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the row follows what is open.
  useEffect(() => {
    const row = scroll.current?.querySelector("tr[data-open]");
    row?.scrollIntoView?.({ block: "nearest" });
  }, [open, at >= 0]);

  useKeys({
    "/": (event) => {
      event.preventDefault();
      searchRef.current?.focus();
    },
    j: () => step(1),
    k: () => step(-1),
    Escape: close,
  });

  const actions = <ExportMenu search={search} project={project} />;
  return (
    <div className={classes.page} data-open={open !== undefined || undefined}>
      <section
        className={classes.list}
        aria-label="Audit trail"
        ref={scroll}
        onScroll={(event) => hold(event.currentTarget.scrollTop > 0)}
      >
        <PageHeader title="Audit" />
        {mayReadAll ? (
          <TrailState actions={actions} />
        ) : (
          <p className={classes.partial}>
            You see what was done in projects whose trail you may read. {actions}
          </p>
        )}
        <FilterBar search={search} onChange={change} searchRef={searchRef} />
        {waiting > 0 && (
          <button
            type="button"
            className={bar.arrived}
            onClick={() => {
              show();
              if (scroll.current) scroll.current.scrollTop = 0;
            }}
          >
            Show {waiting.toLocaleString("en")} new
          </button>
        )}
        {stale && list.data && (
          <p className={classes.failure} role="status">
            New entries cannot be read: {stale.message} Trying again.
          </p>
        )}
        {list.data ? (
          <div
            onPointerEnter={(event) => event.pointerType === "mouse" && hold(true)}
            onPointerLeave={() => hold((scroll.current?.scrollTop ?? 0) > 0)}
          >
            {shown.length > 0 && <Trail entries={shown} open={open} onOpen={onOpen} />}
            {shown.length === 0 && (
              <Nothing
                search={search}
                further={list.hasNextPage}
                onClear={() => change(noFilters)}
              />
            )}
            <ShowMore list={list} />
          </div>
        ) : (
          <PageState query={list} what="the audit trail" rows={12} />
        )}
      </section>
      {open !== undefined && (
        <EntryPanel
          seq={open}
          known={shown[at]}
          newer={newer && String(newer.seq)}
          older={older && String(older.seq)}
          onOpen={(entry) => (entry === undefined ? close() : onOpen(entry))}
        />
      )}
    </div>
  );
}

interface NothingProps {
  search: AuditSearch;
  /** Whether there is more to look through. */
  further: boolean;
  onClear: () => void;
}

function Nothing({ search, further, onClear }: NothingProps) {
  if (further) {
    return (
      <EmptyState
        title="Not found yet"
        sentence="These words are in none of the newest 200,000 entries. Show more to look further back."
      />
    );
  }
  return isFiltered(search) ? (
    <EmptyState
      title="Nothing fits"
      sentence="No entry that you may read fits these filters."
      action={
        <button type="button" className={bar.clear} onClick={onClear}>
          Clear the filters
        </button>
      }
    />
  ) : (
    <EmptyState
      title="Nothing was done yet"
      sentence="Every command, sign-in, refusal and look at data is told here."
      example="podium audit --since 2h"
    />
  );
}
