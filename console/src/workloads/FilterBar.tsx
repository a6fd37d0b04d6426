/** The list's filters: what is chosen goes into the address and comes from there. */
import type { RefObject } from "react";
import { SearchField } from "../frame/SearchField";
import { useIdentity } from "../session/queries";
import { AddFilter } from "./AddFilter";
import { FilterChips } from "./FilterChips";
import { FilterMenu } from "./FilterMenu";
import { type FilterChange, isFiltered, noFilters, type WorkloadFilters } from "./filters";
import { reasonInWords, reasons } from "./reasons";
import { StateBadge } from "./StateIcon";
import { capitalised, kinds, shownState, workloadStates } from "./state";
import classes from "./workloads.module.css";

interface Props {
  filters: WorkloadFilters;
  onChange: (change: FilterChange) => void;
  searchRef: RefObject<HTMLInputElement | null>;
}

export function FilterBar({ filters, onChange, searchRef }: Props) {
  const { username } = useIdentity();
  const mine = filters.owner === username;
  const waits = filters.reason !== undefined || filters.state?.includes("queued");
  return (
    <search className={classes.filters} aria-label="Filter workloads">
      <SearchField
        name="Search by name"
        hint="Name or id"
        value={filters.q ?? ""}
        onChange={(q) => onChange({ q })}
        inputRef={searchRef}
      />
      <button
        type="button"
        className={classes.filter}
        aria-pressed={mine}
        data-on={mine || undefined}
        onClick={() => onChange({ owner: mine ? undefined : username })}
      >
        Mine
      </button>
      <FilterMenu
        label="State"
        options={workloadStates}
        chosen={filters.state ?? []}
        onChange={(state) => onChange({ state })}
        name={(state) => shownState(state).label}
        show={(state) => <StateBadge state={state} />}
      />
      {waits && (
        <FilterMenu
          label="Reason"
          options={reasons}
          chosen={filters.reason ?? []}
          onChange={(reason) => onChange({ reason })}
          name={reasonInWords}
        />
      )}
      <FilterMenu
        label="Kind"
        options={kinds}
        chosen={filters.kind ?? []}
        onChange={(kind) => onChange({ kind })}
        name={capitalised}
      />
      <FilterChips filters={filters} mine={mine} onChange={onChange} />
      <AddFilter filters={filters} onChange={onChange} />
      {isFiltered(filters) && (
        <button type="button" className={classes.clear} onClick={() => onChange(noFilters)}>
          Clear
        </button>
      )}
    </search>
  );
}
