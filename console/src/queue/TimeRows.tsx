/** The time line where it is wide enough: a row for each node, time from left to right. Only rows
 * in sight are drawn. Arrow keys go from bar to bar. */
import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, memo, useMemo, useRef, useState } from "react";
import { timeTicks } from "../charts/scale";
import { useClock } from "../time/clock";
import { momentInWords } from "../time/words";
import { useTimeZone } from "../time/zone";
import { useBarCard } from "./BarCard";
import {
  type Bar,
  bookingInWords,
  freeInWords,
  gpusInWords,
  type Lane,
  periodInWords,
  type Span,
  whenInWords,
  whoInWords,
} from "./lanes";
import classes from "./timeline.module.css";

interface Props {
  lanes: readonly Lane[];
  span: Span;
  width: number;
  /** Work of other projects stands back when one is chosen. */
  project: string | undefined;
}

const ROW_PIXELS = 44;
const LANE_PIXELS = 36;
const NAME_PIXELS = 176;
const AXIS_PIXELS = 22;
/** Half a row at the end says that there are more. */
const MOST_PIXELS = 9.5 * ROW_PIXELS + AXIS_PIXELS;
/** What a time on the axis is wide. */
const LABEL_PIXELS = 40;
/** A bar lower than this has no room for its name. */
const NAMED_PIXELS = 14;
/** What the word at the line of now needs before the next time stands beside it. */
const NOW_PIXELS = 64;
const CLOCK_STEP_MS = 15_000;

export function TimeRows({ lanes, span, width, project }: Props) {
  const scroll = useRef<HTMLDivElement>(null);
  const zone = useTimeZone();
  const now = useClock((ms) => Math.floor(ms / CLOCK_STEP_MS) * CLOCK_STEP_MS);
  const [held, setHeld] = useState<string | null>(null);
  const { card, ...hover } = useBarCard(lanes);
  const drawn = useVirtualizer({
    count: lanes.length,
    getScrollElement: () => scroll.current,
    getItemKey: (index) => lanes[index]?.node.name ?? index,
    estimateSize: () => ROW_PIXELS,
    scrollMargin: AXIS_PIXELS,
    // The axis stays in sight above the rows.
    scrollPaddingStart: AXIS_PIXELS,
    overscan: 4,
    initialRect: { width: 1200, height: MOST_PIXELS },
  });
  const { from, until } = span;
  const ticks = useMemo(
    () => timeTicks(from, until, Math.max(0, width - NAME_PIXELS), zone),
    [from, until, width, zone],
  );
  const pixels = (ms: number) => (ms / (until - from)) * (width - NAME_PIXELS);
  const at = (ms: number) => `${((ms - from) / (until - from)) * 100}%`;
  const nowAt = Math.min(until, Math.max(from, now));
  const reachable = lanes.flatMap(({ bars }) => bars.filter((bar) => isLinked(bar, project)));
  const stop = reachable.some(({ key }) => key === held) ? held : (reachable[0]?.key ?? null);

  function move(event: KeyboardEvent) {
    if (!(event.target instanceof Element && event.target.closest("[data-bar]"))) return;
    const rows = lanes.map(({ bars }) => bars.filter((bar) => isLinked(bar, project)));
    const next = neighbour(rows, stop, event.key);
    if (!next) return;
    event.preventDefault();
    setHeld(next.key);
    drawn.scrollToIndex(next.row);
    // The row may have to be drawn before it can have the focus.
    requestAnimationFrame(() =>
      requestAnimationFrame(() =>
        scroll.current?.querySelector<HTMLElement>(`[data-bar="${CSS.escape(next.key)}"]`)?.focus(),
      ),
    );
  }

  return (
    <div className={classes.line}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys work on the links in it. */}
      <div
        ref={scroll}
        className={classes.rows}
        style={{ maxHeight: MOST_PIXELS }}
        onKeyDown={move}
        onScroll={hover.onPointerLeave}
        {...hover}
      >
        <div className={classes.axis} aria-hidden="true">
          <div>
            <span className={classes.now} data-label style={{ left: at(nowAt) }}>
              now
            </span>
            {ticks
              .filter(
                (tick) =>
                  pixels(tick.at - nowAt) > NOW_PIXELS &&
                  pixels(until - tick.at) > LABEL_PIXELS / 2,
              )
              .map((tick) => (
                <span key={tick.at} style={{ left: at(tick.at) }}>
                  {tick.text}
                </span>
              ))}
          </div>
        </div>
        <div className={classes.grid} aria-hidden="true" style={{ height: drawn.getTotalSize() }}>
          {ticks.map((tick) => (
            <span key={tick.at} style={{ left: at(tick.at) }} />
          ))}
        </div>
        <ul aria-label="Nodes over time" style={{ height: drawn.getTotalSize() }}>
          {drawn.getVirtualItems().map(({ index, key, start, size }) => {
            const lane = lanes[index];
            return (
              lane && (
                <li
                  key={key}
                  style={{ height: size, transform: `translateY(${start - AXIS_PIXELS}px)` }}
                >
                  <NodeLane
                    lane={lane}
                    zone={zone}
                    project={project}
                    stop={lane.bars.some((bar) => bar.key === stop) ? stop : null}
                    onHeld={setHeld}
                  />
                </li>
              )
            );
          })}
        </ul>
        <div className={classes.nows} aria-hidden="true" style={{ height: drawn.getTotalSize() }}>
          <span className={classes.now} style={{ left: at(nowAt) }} />
        </div>
      </div>
      {card}
    </div>
  );
}

function isLinked({ workload }: Bar, project: string | undefined): boolean {
  return workload !== null && (!project || workload.project === project);
}

/** Left and right go through a row, up and down to what stands nearest in the next one. */
function neighbour(
  rows: readonly (readonly Bar[])[],
  from: string | null,
  key: string,
): { key: string; row: number } | null {
  const row = rows.findIndex((bars) => bars.some((bar) => bar.key === from));
  const bars = rows[row];
  const at = bars?.findIndex((bar) => bar.key === from) ?? -1;
  const bar = bars?.[at];
  if (!bars || !bar) return null;
  if (key === "ArrowRight" || key === "ArrowLeft") {
    const next = bars[at + (key === "ArrowRight" ? 1 : -1)];
    return next ? { key: next.key, row } : null;
  }
  const step = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
  if (step === 0) return null;
  for (let other = row + step; other >= 0 && other < rows.length; other += step) {
    const near = [...(rows[other] ?? [])].sort(
      (a, b) => Math.abs(a.left - bar.left) - Math.abs(b.left - bar.left),
    )[0];
    if (near) return { key: near.key, row: other };
  }
  return null;
}

interface LaneProps {
  lane: Lane;
  zone: string;
  project: string | undefined;
  /** The bar of this lane that Tab stops at. */
  stop: string | null;
  onHeld: (key: string) => void;
}

const NodeLane = memo(function NodeLane({ lane, zone, project, stop, onHeld }: LaneProps) {
  const { node, bars, bookings } = lane;
  const moment = (iso: string) => momentInWords(iso, zone, Date.now());
  return (
    <>
      <span className={classes.node}>
        <Link to="/nodes/$name" params={{ name: node.name }} title={node.name}>
          {node.name}
        </Link>
        <span>{freeInWords(node)}</span>
      </span>
      <ul
        className={classes.lane}
        style={{ height: LANE_PIXELS }}
        aria-label={`On ${node.name}`}
        data-without={node.gpus === 0 || node.state !== "ready" || undefined}
      >
        {bookings.map((each) => (
          <li
            key={each.key}
            className={classes.booking}
            data-bar={each.key}
            style={{ left: `${each.left}%`, width: `${each.width}%` }}
          >
            <span>
              {bookingInWords(each)}
              <span className={classes.said}> {periodInWords(each.from, each.until, moment)}</span>
            </span>
          </li>
        ))}
        {bars.map((bar) => {
          const named = (bar.height / 100) * LANE_PIXELS >= NAMED_PIXELS;
          const words = `${whoInWords(bar)}, ${gpusInWords(bar.gpu_milli)}, ${whenInWords(bar, moment)}`;
          const fill = (
            <span className={classes.fill} data-kind={bar.kind} data-end={bar.end}>
              {named && isOurs(bar, project) && <span>{whoInWords(bar)}</span>}
            </span>
          );
          return (
            <li
              key={bar.key}
              className={classes.bar}
              data-back={!isOurs(bar, project) || undefined}
              style={{
                left: `${bar.left}%`,
                width: `${bar.width}%`,
                top: `${bar.top}%`,
                height: `${bar.height}%`,
              }}
            >
              {bar.workload && isLinked(bar, project) ? (
                <Link
                  to="/workloads/$id"
                  params={{ id: bar.workload.id }}
                  data-bar={bar.key}
                  aria-label={words}
                  tabIndex={bar.key === stop ? 0 : -1}
                  onFocus={() => onHeld(bar.key)}
                >
                  {fill}
                </Link>
              ) : (
                <span data-bar={bar.key} role="img" aria-label={otherInWords(bar, project, words)}>
                  {fill}
                </span>
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
});

function isOurs(bar: Bar, project: string | undefined): boolean {
  return !project || (bar.workload?.project ?? bar.project) === project;
}

function otherInWords(bar: Bar, project: string | undefined, words: string): string {
  return isOurs(bar, project) ? words : `Other work, ${gpusInWords(bar.gpu_milli)}`;
}
