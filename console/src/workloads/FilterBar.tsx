/** The list's filters: what is chosen goes into the address and comes from there. */
import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { type RefObject, useEffect, useState } from "react";
import frame from "../frame/frame.module.css";
import { SearchIcon } from "../frame/icons";
import { useProjectNames } from "../projects/queries";
import { FilterMenu } from "./FilterMenu";
import { type FilterChange, isFiltered, type WorkloadFilters } from "./filters";
import { StateBadge } from "./StateIcon";
import { capitalised, kinds, shownState, workloadStates } from "./state";
import classes from "./workloads.module.css";

interface Props {
  filters: WorkloadFilters;
  onChange: (change: FilterChange) => void;
  searchRef: RefObject<HTMLInputElement | null>;
}

export function FilterBar({ filters, onChange, searchRef }: Props) {
  const projects = useProjectNames();
  return (
    <search className={classes.filters} aria-label="Filter workloads">
      <SearchField value={filters.q ?? ""} onChange={(q) => onChange({ q })} inputRef={searchRef} />
      <FilterMenu
        label="Project"
        options={projects}
        chosen={filters.project ?? []}
        onChange={(project) => onChange({ project })}
      />
      <FilterMenu
        label="State"
        options={workloadStates}
        chosen={filters.state ?? []}
        onChange={(state) => onChange({ state })}
        name={(state) => shownState(state).label}
        show={(state) => <StateBadge state={state} />}
      />
      <FilterMenu
        label="Kind"
        options={kinds}
        chosen={filters.kind ?? []}
        onChange={(kind) => onChange({ kind })}
        name={capitalised}
      />
      {isFiltered(filters) && (
        <button
          type="button"
          className={classes.clear}
          onClick={() =>
            onChange({ project: undefined, state: undefined, kind: undefined, q: undefined })
          }
        >
          Clear
        </button>
      )}
    </search>
  );
}

interface SearchProps {
  value: string;
  onChange: (value: string) => void;
  inputRef: RefObject<HTMLInputElement | null>;
}

function SearchField({ value, onChange, inputRef }: SearchProps) {
  const [text, setText] = useState(value);
  const settle = useDebouncedCallback(onChange, 250);
  useEffect(() => setText(value), [value]);
  return (
    <TextInput
      ref={inputRef}
      className={classes.search}
      size="xs"
      type="search"
      aria-label="Search by name"
      placeholder="Search by name"
      leftSection={<SearchIcon />}
      rightSection={text === "" ? <kbd className={frame.key}>/</kbd> : null}
      rightSectionPointerEvents="none"
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        settle(event.currentTarget.value.trim());
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") event.currentTarget.blur();
      }}
    />
  );
}
