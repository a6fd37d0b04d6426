/** One card for all cells of a page: it says what the GPU under the pointer is, and who is on it. */
import { type PointerEvent, useState } from "react";
import type { Device } from "../api/types";
import { deviceInWords } from "./GpuCell";
import classes from "./nodes.module.css";

interface Shown {
  device: Device;
  left: number;
  top: number;
}

const CARD_WIDTH = 280;

/** `find` gives the device of an id; thousands of cells share the one handler. */
export function useHoverCard(find: (id: string) => Device | undefined) {
  const [shown, setShown] = useState<Shown | null>(null);
  function over(event: PointerEvent) {
    const cell =
      event.target instanceof Element ? event.target.closest<HTMLElement>("[data-gpu]") : null;
    const device = cell?.dataset.gpu && find(cell.dataset.gpu);
    if (!cell || !device) {
      setShown(null);
      return;
    }
    const box = cell.getBoundingClientRect();
    setShown({
      device,
      left: Math.max(8, Math.min(box.left, window.innerWidth - CARD_WIDTH - 8)),
      top: box.bottom + 6,
    });
  }
  const card = shown && (
    <div
      className={classes.card}
      style={{ left: shown.left, top: shown.top, maxWidth: CARD_WIDTH }}
      role="tooltip"
    >
      {deviceInWords(shown.device).map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
  return { card, onPointerOver: over, onPointerLeave: () => setShown(null) };
}
