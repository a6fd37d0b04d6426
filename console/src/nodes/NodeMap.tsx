/** The cluster as it stands: blocks, racks in them, nodes in those, and a cell for each GPU.
 * Only what is in sight is drawn, so that five thousand nodes scroll as ten do. */
import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type CSSProperties,
  memo,
  type RefObject,
  useLayoutEffect,
  useMemo,
  useState,
} from "react";
import type { Device, Node } from "../api/types";
import { milliInWords } from "../quantity/words";
import { GpuCell } from "./GpuCell";
import { useHoverCard } from "./HoverCard";
import { NodeStateBadge } from "./NodeStateBadge";
import classes from "./nodes.module.css";
import { useKeptFocus } from "./useKeptFocus";
import { domainsOf, type RackGroup, racksOf } from "./view";

const TILE_WIDTHS = { usual: 168, least: 116, most: 200 };
const TILE_GAP = 8;
const TILE_ROW_PIXELS = 64;
const HEAD_PIXELS = 36;
const GUTTER_PIXELS = 120;
const OVERSCAN = 6;

type Row =
  | { kind: "block"; key: string; block: string; nodes: number; rack?: undefined }
  | { kind: "tiles"; key: string; rack: string | null; nvlink: string; nodes: Node[] };

interface Props {
  nodes: readonly Node[];
  scroll: RefObject<HTMLElement | null>;
}

export function NodeMap({ nodes, scroll }: Props) {
  const [width, setWidth] = useState(0);
  const [margin, setMargin] = useState(0);
  const [map, setMap] = useState<HTMLUListElement | null>(null);
  useLayoutEffect(() => {
    if (!map) return;
    const measure = () => {
      setWidth(map.clientWidth);
      setMargin(map.offsetTop);
    };
    measure();
    if (typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(measure);
    observer.observe(map);
    return () => observer.disconnect();
  }, [map]);

  const racks = useMemo(() => racksOf(nodes), [nodes]);
  const gutter =
    racks.some(({ rack, nodes: members }) => rack || members.some(({ nvlink }) => nvlink)) &&
    width > 640
      ? GUTTER_PIXELS
      : 0;
  const { across, tile } = useMemo(
    () => tilesAcross(racks, width - gutter),
    [racks, width, gutter],
  );
  const rows = useMemo(() => rowsOf(racks, across), [racks, across]);
  const devices = useMemo(() => {
    const found = new Map<string, Device>();
    for (const node of nodes) for (const device of node.devices) found.set(device.id, device);
    return found;
  }, [nodes]);
  const { card, ...hover } = useHoverCard((id) => devices.get(id));
  const { handlers, rangeExtractor } = useKeptFocus();
  const drawn = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    getItemKey: (index) => rows[index]?.key ?? index,
    estimateSize: (index) => (rows[index]?.kind === "block" ? HEAD_PIXELS : TILE_ROW_PIXELS),
    scrollMargin: margin,
    overscan: OVERSCAN,
    rangeExtractor,
    initialRect: { width: 1200, height: 900 },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: other rows have other heights.
  useLayoutEffect(() => drawn.measure(), [rows, drawn]);

  return (
    <div className={classes.map} {...hover}>
      <ul
        ref={setMap}
        aria-label="Nodes"
        {...handlers}
        style={{ height: drawn.getTotalSize(), "--tile": `${tile}px` } as CSSProperties}
      >
        {drawn.getVirtualItems().map(({ index, key, start, size }) => {
          const row = rows[index];
          if (!row) return null;
          return (
            <li
              key={key}
              className={classes.mapRow}
              data-index={index}
              style={{ height: size, transform: `translateY(${start - margin}px)` }}
            >
              {row.kind === "block" ? (
                <h2 className={classes.block}>
                  {row.block}{" "}
                  <span>
                    {row.nodes.toLocaleString("en")} {row.nodes === 1 ? "node" : "nodes"}
                  </span>
                </h2>
              ) : (
                <>
                  {gutter > 0 && (
                    <h3
                      className={classes.rack}
                      title={row.nvlink && `NVLink domain ${row.nvlink}`}
                    >
                      {row.rack === "" && !row.nvlink ? "No rack" : row.rack}
                      {row.nvlink && <span>{row.nvlink}</span>}
                    </h3>
                  )}
                  <ul className={classes.tiles} aria-label={row.rack ?? undefined}>
                    {row.nodes.map((node) => (
                      <Tile key={node.name} node={node} />
                    ))}
                  </ul>
                </>
              )}
            </li>
          );
        })}
      </ul>
      {card}
    </div>
  );
}

/** As wide as lets the usual rack, or domain in it, stand in one row; where that is too narrow, the usual width. */
function tilesAcross(racks: readonly RackGroup[], width: number) {
  const sizes = racks
    .flatMap((rack) => domainsOf(rack).map(({ nodes }) => nodes.length))
    .sort((a, b) => a - b);
  const size = Math.max(1, sizes[sizes.length >> 1] ?? 1);
  const fitting = Math.floor((width + TILE_GAP) / size) - TILE_GAP;
  const tile =
    fitting >= TILE_WIDTHS.least ? Math.min(fitting, TILE_WIDTHS.most) : TILE_WIDTHS.usual;
  return { tile, across: Math.max(1, Math.floor((width + TILE_GAP) / (tile + TILE_GAP))) };
}

function rowsOf(racks: readonly RackGroup[], across: number): Row[] {
  const rows: Row[] = [];
  let block: Extract<Row, { kind: "block" }> | undefined;
  for (const group of racks) {
    if (group.block !== (block?.block ?? "")) {
      block = { kind: "block", key: `block ${group.block}`, block: group.block, nodes: 0 };
      rows.push(block);
    }
    if (block) block.nodes += group.nodes.length;
    for (const { nvlink, nodes } of domainsOf(group)) {
      for (let at = 0; at < nodes.length; at += across) {
        rows.push({
          kind: "tiles",
          key: `${group.block} ${group.rack} ${nvlink} ${at}`,
          rack: at === 0 ? group.rack : null,
          nvlink: at === 0 ? nvlink : "",
          nodes: nodes.slice(at, at + across),
        });
      }
    }
  }
  return rows;
}

const Tile = memo(function Tile({ node }: { node: Node }) {
  const { devices } = node;
  const held = devices.reduce((sum, device) => sum + device.gpu_milli_used, 0);
  return (
    <li>
      <Link
        to="/nodes/$name"
        params={{ name: node.name }}
        className={classes.tile}
        data-state={node.state}
        aria-label={tileInWords(node, held)}
      >
        <span className={classes.tileHead}>
          <span className={classes.tileName} title={node.name}>
            {node.name}
          </span>{" "}
          {node.state === "ready" ? (
            <span className={classes.tileCount}>
              {milliInWords(held)}/{devices.length}
            </span>
          ) : (
            <NodeStateBadge state={node.state} />
          )}
        </span>
        <span className={classes.tileCells}>
          {devices.map((device) => (
            <GpuCell key={device.id} device={device} silent />
          ))}
          {devices.length === 0 && <span className={classes.tileNone}>No GPUs</span>}
        </span>
      </Link>
    </li>
  );
});

/** Begins with what is seen, so that who speaks it to the machine is understood. */
function tileInWords({ name, state, devices }: Node, heldMilli: number): string {
  const held = milliInWords(heldMilli);
  if (devices.length === 0) return `${name} ${state === "ready" ? "0/0" : state} No GPUs`;
  return state === "ready"
    ? `${name} ${held}/${devices.length} GPUs held, ready`
    : `${name} ${state}, ${held}/${devices.length} GPUs held`;
}
