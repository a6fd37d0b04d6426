/** The nodes one below the other, each with its figures; only those in sight are drawn. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useMemo } from "react";
import type { Device, Node } from "../api/types";
import { useHoverCard } from "./HoverCard";
import { NodeRow } from "./NodeRow";
import classes from "./nodes.module.css";
import { useKeptFocus } from "./useKeptFocus";

const ROW_PIXELS = 76;

interface Props {
  nodes: readonly Node[];
  scroll: RefObject<HTMLElement | null>;
}

export function NodeList({ nodes, scroll }: Props) {
  const { handlers, rangeExtractor } = useKeptFocus();
  const drawn = useVirtualizer({
    count: nodes.length,
    getScrollElement: () => scroll.current,
    getItemKey: (index) => nodes[index]?.name ?? index,
    estimateSize: () => ROW_PIXELS,
    overscan: 6,
    rangeExtractor,
    initialRect: { width: 1200, height: 900 },
  });
  const items = drawn.getVirtualItems();
  const devices = useMemo(() => {
    const found = new Map<string, Device>();
    for (const node of nodes) for (const device of node.devices) found.set(device.id, device);
    return found;
  }, [nodes]);
  const { card, ...hover } = useHoverCard((id) => devices.get(id));
  return (
    <div {...hover}>
      <ul className={classes.list} aria-label="Nodes" {...handlers}>
        {items.flatMap(({ index, key, start }, at) => {
          const node = nodes[index];
          const before = start - (items[at - 1]?.end ?? 0);
          return [
            <Gap key={`before ${key}`} pixels={before} />,
            node && <NodeRow key={key} node={node} index={index} measure={drawn.measureElement} />,
          ];
        })}
        <Gap pixels={drawn.getTotalSize() - (items.at(-1)?.end ?? 0)} />
      </ul>
      {card}
    </div>
  );
}

/** Stands for the rows above or below that are not drawn. */
function Gap({ pixels }: { pixels: number }) {
  return pixels > 0 ? (
    <li aria-hidden="true" className={classes.gap} style={{ height: pixels }} />
  ) : null;
}
