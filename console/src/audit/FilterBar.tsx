/** The trail's filters: what is chosen goes into the address and comes from there. */
import type { RefObject } from "react";
import { RangePicker } from "../charts/RangePicker";
import type { RangeSearch } from "../charts/range";
import { CloseIcon } from "../frame/icons";
import { SearchField } from "../frame/SearchField";
import bar from "../workloads/workloads.module.css";
import { ActionFilter } from "./ActionFilter";
import { AddFilter } from "./AddFilter";
import classes from "./audit.module.css";
import {
  type AuditChange,
  type AuditSearch,
  filterNames,
  isFiltered,
  noFilters,
  textFilters,
} from "./search";

interface Props {
  search: AuditSearch;
  onChange: (next: AuditChange) => void;
  searchRef: RefObject<HTMLInputElement | null>;
}

const spans = ["1h", "24h", "7d", "all"] as const;
const noRange: AuditChange = { range: undefined, from: undefined, to: undefined };

export function FilterBar({ search, onChange, searchRef }: Props) {
  const refused = search.outcome === "refused";
  return (
    <search className={`${bar.filters} ${classes.filters}`} aria-label="Filter entries">
      <SearchField
        name="Search the trail"
        hint="Any words"
        value={search.q ?? ""}
        onChange={(q) => onChange({ q })}
        inputRef={searchRef}
      />
      <button
        type="button"
        className={bar.filter}
        aria-pressed={refused}
        data-on={refused || undefined}
        onClick={() => onChange({ outcome: refused ? undefined : "refused" })}
      >
        Refused
      </button>
      <ActionFilter chosen={search.action} onChange={(action) => onChange({ action })} />
      {textFilters.map((name) =>
        name === "action" || search[name] === undefined ? null : (
          <Chip
            key={name}
            name={filterNames[name]}
            value={search[name]}
            onRemove={() => onChange({ [name]: undefined })}
          />
        ),
      )}
      {search.outcome === "allowed" && (
        <Chip name="Outcome" value="allowed" onRemove={() => onChange({ outcome: undefined })} />
      )}
      <AddFilter onChange={onChange} />
      {isFiltered(search) && (
        <button type="button" className={bar.clear} onClick={() => onChange(noFilters)}>
          Clear
        </button>
      )}
      <span className={classes.times}>
        <RangePicker
          value={search}
          usual="all"
          choices={spans}
          onChange={(range: RangeSearch) => onChange({ ...noRange, ...range })}
        />
      </span>
    </search>
  );
}

interface ChipProps {
  name: string;
  value: string;
  onRemove: () => void;
}

function Chip({ name, value, onRemove }: ChipProps) {
  return (
    <span className={bar.chip}>
      <span className={bar.filterLabel}>{name}</span>
      <span className={bar.filterChosen} title={value}>
        {value}
      </span>
      <button
        type="button"
        className={bar.chipRemove}
        aria-label={`Remove the filter ${name} ${value}`}
        onClick={onRemove}
      >
        <CloseIcon />
      </button>
    </span>
  );
}
