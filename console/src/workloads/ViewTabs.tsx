/** The views of the list: those that everybody has, with how many are in each, then one's own. */
import { Link } from "@tanstack/react-router";
import type { SavedView } from "../api/types";
import { searchParse, searchText } from "../frame/search";
import { useSavedViews } from "../saved/queries";
import { SavedMenu } from "../saved/SavedMenu";
import { SaveView } from "../saved/SaveView";
import { ColumnMenu } from "./ColumnMenu";
import { useCount } from "./counts";
import { compact, type FilterChange, filtersRead, noList, type WorkloadFilters } from "./filters";
import classes from "./workloads.module.css";

const PAGE = "workloads";

interface Preset {
  name: string;
  filters: WorkloadFilters;
  /** The list's own count says it already. */
  uncounted?: true;
}

const presets: readonly Preset[] = [
  { name: "All", filters: {}, uncounted: true },
  { name: "Running", filters: { state: ["running"] } },
  { name: "Waiting", filters: { state: ["queued"] } },
  { name: "Failed today", filters: { state: ["failed"], ended_since: "today" } },
];

interface Props {
  filters: WorkloadFilters;
  /** Opens another view; what it does not name goes. */
  onOpen: (change: FilterChange) => void;
}

export function ViewTabs({ filters, onOpen }: Props) {
  const views = useSavedViews(PAGE);
  const search = searchOf(filters);
  const open = views.find((view) => view.name === filters.view);
  const preset = open ? undefined : presets.find((each) => isOpen(each, filters));
  return (
    <div className={classes.viewsRow}>
      <nav className={classes.views} aria-label="Views">
        {presets.map((each) => (
          <Tab
            key={each.name}
            name={each.name}
            search={presetSearch(each, filters)}
            current={each === preset}
            count={each.uncounted ? undefined : <Count filters={countedFilters(each, filters)} />}
          />
        ))}
        {views.length > 0 && <span className={classes.viewsRule} />}
        {views.map((view) => (
          <Tab
            key={view.name}
            name={view.name}
            search={viewSearch(view, filters)}
            current={view === open}
            edited={view === open && isEdited(view, filters)}
          />
        ))}
        {open && (
          <SavedMenu
            page={PAGE}
            view={open}
            views={views}
            search={search}
            edited={isEdited(open, filters)}
            onRenamed={(view) => onOpen({ ...filters, view })}
            onDeleted={() => onOpen({ ...filters, view: undefined })}
          />
        )}
        {(open ? isEdited(open, filters) : !isPlain(filters)) && (
          <SaveView
            page={PAGE}
            search={search}
            views={views}
            onSaved={(view) => onOpen({ ...filters, view })}
          />
        )}
      </nav>
      <ColumnMenu text={filters.columns} onChange={(columns) => onOpen({ ...filters, columns })} />
    </div>
  );
}

interface TabProps {
  name: string;
  search: FilterChange;
  current: boolean;
  edited?: boolean;
  count?: React.ReactNode;
}

function Tab({ name, search, current, edited = false, count }: TabProps) {
  return (
    <Link
      to="/workloads"
      search={search as WorkloadFilters}
      className={classes.view}
      aria-current={current ? "true" : undefined}
      data-current={current || undefined}
      activeProps={{}}
      preload={false}
    >
      {name}
      {edited && (
        <span className={classes.viewEdited} title="Changed since it was saved">
          <span className={classes.unseen}>(changed)</span>
        </span>
      )}
      {count}
    </Link>
  );
}

function Count({ filters }: { filters: WorkloadFilters }) {
  const count = useCount(filters);
  return (
    <span className={classes.viewCount} data-known={count !== undefined || undefined}>
      {count}
    </span>
  );
}

/** The same project, person, order and columns, of other states. */
function presetSearch({ filters }: Preset, now: WorkloadFilters): FilterChange {
  const { project, owner, sort, order, columns } = now;
  return { ...noList, project, owner, sort, order, columns, ...filters };
}

function countedFilters({ filters }: Preset, { project, owner }: WorkloadFilters): WorkloadFilters {
  return compact({ project, owner, ...filters });
}

function isOpen(preset: Preset, now: WorkloadFilters): boolean {
  return (
    searchText(compact(presetSearch(preset, now))) ===
    searchText(compact({ ...now, view: undefined }))
  );
}

/** Whether a view that everybody has shows the same. */
function isPlain(now: WorkloadFilters): boolean {
  const search = searchOf({ ...now, project: [] });
  return presets.some(({ filters }) => searchOf(filters) === search);
}

function searchOf(filters: WorkloadFilters): string {
  return searchText(compact({ ...filters, view: undefined })).replace(/^\?/, "");
}

/** A view that was saved without a project is opened in the one that is chosen now. */
function viewSearch(view: SavedView, { project }: WorkloadFilters): FilterChange {
  const saved = filtersRead(searchParse(view.search));
  return {
    ...noList,
    ...saved,
    project: saved.project ?? project,
    view: view.name,
  };
}

function isEdited(view: SavedView, now: WorkloadFilters): boolean {
  return searchOf(compact(viewSearch(view, now))) !== searchOf(now);
}
