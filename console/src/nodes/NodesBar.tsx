/** What of the nodes to show: text, GPU type, pool, what one looks for, and in which view. */
import { SegmentedControl, Select } from "@mantine/core";
import type { RefObject } from "react";
import { SearchField } from "../frame/SearchField";
import classes from "./nodes.module.css";
import { isNodesFiltered, type NodesView, type Show } from "./view";

const shows: { value: Show; label: string; says: string }[] = [
  { value: "free", label: "Free GPUs", says: "Nodes with room on some GPU" },
  { value: "idle", label: "Held but idle", says: "GPUs that are held and do next to nothing" },
  { value: "trouble", label: "In trouble", says: "Lost nodes and unhealthy GPUs" },
];

interface Props {
  view: NodesView;
  types: readonly string[];
  pools: readonly string[];
  clusters: readonly { value: string; label: string }[];
  searchRef: RefObject<HTMLInputElement | null>;
  onChange: (view: NodesView) => void;
}

export function NodesBar({ view, types, pools, clusters, searchRef, onChange }: Props) {
  const shapes = [
    { value: "map", label: "Map" },
    { value: "list", label: "List" },
    ...(pools.length > 0 || view.view === "pools" ? [{ value: "pools", label: "Pools" }] : []),
    { value: "fragmentation", label: "Fragmentation" },
  ];
  return (
    <search className={classes.bar} aria-label="Filter nodes">
      {view.view !== "pools" && (
        <Filters {...{ view, types, pools, clusters, searchRef, onChange }} />
      )}
      <SegmentedControl
        ml="auto"
        size="xs"
        aria-label="Shown as"
        data={shapes}
        value={view.view ?? "map"}
        onChange={(shape) => onChange(changed(view, { view: shape === "map" ? "" : shape }))}
      />
    </search>
  );
}

function Filters({ view, types, pools, clusters, searchRef, onChange }: Props) {
  // Of what is stranded, only GPUs of a type or a pool can be told apart.
  const ofNodes = view.view !== "fragmentation";
  return (
    <>
      {ofNodes && (
        <SearchField
          name="Search by name, rack, block or pool"
          hint="Name, rack or block"
          value={view.q ?? ""}
          inputRef={searchRef}
          onChange={(q) => onChange(changed(view, { q }))}
        />
      )}
      {(types.length > 1 || view.type) && (
        <Select
          size="xs"
          w={120}
          aria-label="GPU type"
          placeholder="GPU type"
          clearable
          data={[...new Set([...types, ...(view.type ? [view.type] : [])])]}
          value={view.type ?? null}
          onChange={(type) => onChange(changed(view, { type: type ?? "" }))}
        />
      )}
      {(pools.length > 0 || view.pool) && (
        <Select
          size="xs"
          w={140}
          aria-label="Pool"
          placeholder="Pool"
          clearable
          data={[...new Set([...pools, ...(view.pool ? [view.pool] : [])])]}
          value={view.pool ?? null}
          onChange={(pool) => onChange(changed(view, { pool: pool ?? "" }))}
        />
      )}
      {ofNodes && (clusters.length > 0 || view.cluster) && (
        <Select
          size="xs"
          w={140}
          aria-label="Cluster"
          placeholder="Cluster"
          clearable
          data={
            clusters.some(({ value }) => value === view.cluster) || !view.cluster
              ? [...clusters]
              : [...clusters, { value: view.cluster, label: view.cluster }]
          }
          value={view.cluster ?? null}
          onChange={(cluster) => onChange(changed(view, { cluster: cluster ?? "" }))}
        />
      )}
      {(ofNodes ? shows : []).map(({ value, label, says }) => (
        <button
          key={value}
          type="button"
          className={classes.chip}
          aria-pressed={view.show === value}
          title={says}
          onClick={() => onChange(changed(view, { show: view.show === value ? "" : value }))}
        >
          {label}
        </button>
      ))}
      {isNodesFiltered(view) && (
        <button
          type="button"
          className={classes.chipClear}
          onClick={() => onChange(view.view ? { view: view.view } : {})}
        >
          Clear
        </button>
      )}
    </>
  );
}

/** The view with some of it new; an empty text takes a part away. */
function changed(view: NodesView, change: { [Name in keyof NodesView]: string }): NodesView {
  const next = Object.entries({ ...view, ...change }).filter(([, value]) => value);
  return Object.fromEntries(next) as NodesView;
}
