/** Where each replica runs or ran, and how it ended; as many as there are. */

import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useMemo, useRef } from "react";
import type { Replica, WorkloadDetail } from "../../api/types";
import { FailureState } from "../../frame/FailureState";
import { ArrowIcon } from "../../frame/icons";
import { counted, milliInWords } from "../../quantity/words";
import { Duration, Moment } from "../../time/Times";
import { isGrouped } from "../asked";
import { ranksWritten } from "../logs/ranks";
import { StateBadge, StateIcon } from "../StateIcon";
import { shownState } from "../state";
import { orderRead, orderWritten, type ReplicaColumn, replicasShown } from "./replicaOrder";
import classes from "./replicas.module.css";
import { changed, useDetailSearch } from "./useDetailSearch";
import { useReplicas } from "./useReplicas";

const ROW_PIXELS = 32;

type ColumnId = ReplicaColumn | "group" | "devices" | "log";

const columns: { id: ColumnId; label: string; sorted: boolean }[] = [
  { id: "rank", label: "Rank", sorted: true },
  { id: "group", label: "Group", sorted: false },
  { id: "state", label: "State", sorted: true },
  { id: "node", label: "Node", sorted: true },
  { id: "devices", label: "Devices", sorted: false },
  { id: "started", label: "Started", sorted: true },
  { id: "ran", label: "Ran for", sorted: true },
  { id: "end", label: "End", sorted: true },
  { id: "log", label: "Log", sorted: false },
];

const states = [
  "failed",
  "running",
  "starting",
  "scheduled",
  "stopping",
  "waiting",
  "succeeded",
  "cancelled",
] as const;

export function ReplicaTable({ workload }: { workload: WorkloadDetail }) {
  const { search, change } = useDetailSearch();
  const { replicas, missing, error, retry } = useReplicas(workload);
  const order = orderRead(search.by);
  const state = states.find((each) => each === search.replicas);
  const scroll = useRef<HTMLDivElement>(null);
  const { by } = search;
  const shown = useMemo(
    () => replicasShown(replicas, state, orderRead(by), Date.now()),
    [replicas, state, by],
  );
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PIXELS,
    overscan: 16,
  });
  const withDevices = replicas.some(({ devices }) => devices && devices.length > 0);
  const withGroups = isGrouped(workload);
  const drawn = columns.filter(
    ({ id }) => (id !== "devices" || withDevices) && (id !== "group" || withGroups),
  );
  const present = states.filter((each) => workload.replicas[each] > 0);
  const items = rows.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = rows.getTotalSize() - (items.at(-1)?.end ?? 0);
  const word = workload.array ? "task" : "replica";

  return (
    <>
      {present.length > 1 && (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset would bring its own box.
        <div className={classes.chips} role="group" aria-label="Only those in the state">
          <button
            type="button"
            className={classes.chip}
            aria-pressed={!state}
            onClick={() => change({ replicas: undefined })}
          >
            All {workload.replicas.total.toLocaleString("en")}
          </button>
          {present.map((each) => (
            <button
              key={each}
              type="button"
              className={classes.chip}
              aria-pressed={state === each}
              onClick={() => change({ replicas: state === each ? undefined : each })}
            >
              <span className={classes.chipIcon} data-tone={shownState(each).tone}>
                <StateIcon state={each} />
              </span>
              {shownState(each).label} {workload.replicas[each].toLocaleString("en")}
            </button>
          ))}
        </div>
      )}
      {error && <FailureState error={error} onRetry={retry} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys. */}
      <section ref={scroll} className={classes.scroll} tabIndex={0} aria-label="Replicas">
        <table className={classes.replicas} aria-rowcount={shown.length + 1}>
          <thead>
            <tr>
              {drawn.map(({ id, label, sorted }) => (
                <th
                  key={id}
                  scope="col"
                  data-column={id}
                  aria-sort={
                    order.column === id ? (order.down ? "descending" : "ascending") : undefined
                  }
                >
                  {sorted ? (
                    <button
                      type="button"
                      className={classes.sort}
                      onClick={() =>
                        change({
                          by: orderWritten({
                            column: id as ReplicaColumn,
                            down: order.column === id && !order.down,
                          }),
                        })
                      }
                    >
                      {label}
                      {order.column === id && <ArrowIcon up={!order.down} />}
                    </button>
                  ) : (
                    label
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {above > 0 && <Gap height={above} columns={drawn.length} />}
            {items.map(({ index }) => {
              const replica = shown[index];
              return (
                replica && (
                  <ReplicaRow
                    key={replica.rank}
                    replica={replica}
                    index={index}
                    withDevices={withDevices}
                    withGroups={withGroups}
                    measure={rows.measureElement}
                  />
                )
              );
            })}
            {below > 0 && <Gap height={below} columns={drawn.length} />}
          </tbody>
        </table>
        {shown.length === 0 && missing === 0 && (
          <p className={classes.note}>No {word} is in this state now.</p>
        )}
      </section>
      {missing > 0 && !error && (
        <p className={classes.note} role="status">
          Reading {counted(missing, `more ${word}`)}…
        </p>
      )}
    </>
  );
}

function Gap({ height, columns: count }: { height: number; columns: number }) {
  return (
    <tr className={classes.gap} aria-hidden>
      <td colSpan={count} style={{ height }} />
    </tr>
  );
}

interface RowProps {
  replica: Replica;
  index: number;
  withDevices: boolean;
  withGroups: boolean;
  measure: (row: HTMLTableRowElement | null) => void;
}

const ReplicaRow = memo(function ReplicaRow(props: RowProps) {
  const { replica, index, withDevices, withGroups, measure } = props;
  const { rank, group, state, attempt, node, devices, started_at, ended_at } = replica;
  const end = endInWords(replica);
  return (
    <tr ref={measure} data-index={index} aria-rowindex={index + 2}>
      <td data-column="rank">{rank}</td>
      {withGroups && <td data-column="group">{group}</td>}
      <td data-column="state">
        <StateBadge state={state} />
        {attempt > 1 && <span className={classes.attempt}> attempt {attempt}</span>}
      </td>
      <td data-column="node">
        {node && (
          <Link to="/nodes/$name" params={{ name: node }} className={classes.link}>
            {node}
          </Link>
        )}
      </td>
      {withDevices && (
        <td data-column="devices" title={(devices ?? []).map(({ uuid }) => uuid).join("\n")}>
          {devicesInWords(replica)}
        </td>
      )}
      <td data-column="started">{started_at && <Moment at={started_at} />}</td>
      <td data-column="ran">{started_at && <Duration start={started_at} end={ended_at} />}</td>
      <td data-column="end" title={end || undefined}>
        {end}
      </td>
      <td data-column="log">
        {started_at && (
          <Link
            to="."
            search={(held) =>
              changed(held, { tab: "logs", rank: [rank], line: undefined, find: undefined })
            }
            className={classes.link}
            aria-label={`Log of ${rank}`}
          >
            Log
          </Link>
        )}
      </td>
    </tr>
  );
});

/** H100 0, 1 (virtual); a share is said as its part of a device. */
export function devicesInWords({ devices = [] }: Pick<Replica, "devices">): string {
  const byType = new Map<string, { whole: number[]; shared: string[] }>();
  for (const { type: name, index, gpu_milli, virtual } of devices) {
    const type = virtual ? `Virtual ${name}` : name;
    const held = byType.get(type) ?? { whole: [], shared: [] };
    if (gpu_milli < 1000) held.shared.push(`${index} (${milliInWords(gpu_milli)})`);
    else held.whole.push(index);
    byType.set(type, held);
  }
  return [...byType]
    .map(([type, { whole, shared }]) => {
      const indexes = whole.length > 0 ? [ranksWritten(whole), ...shared] : shared;
      return `${type} ${indexes.join(", ")}`;
    })
    .join("; ");
}

/** What the server says of it; else the code or the signal alone. Before: what keeps it. */
export function endInWords({ exit_code, signal, message, hold_up }: Replica): string {
  if (hold_up) return hold_up.message;
  if (signal != null) return message || `Signal ${signal}`;
  if (exit_code != null) return exit_code === 0 ? "Exit 0" : message || `Exit ${exit_code}`;
  return message ?? "";
}
