/** Which rows of a long list are in sight. All rows are equally high, so nothing is measured. */
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";

/** Rows are drawn this far beyond both ends, and the ends move in steps, not with every pixel. */
const BEYOND_ROWS = 12;
const STEP_ROWS = 8;
/** As the style sheet has it. */
const STACKED_WIDTH_PIXELS = 600;

export interface Sizes {
  rowPixels: number;
  stackedRowPixels: number;
}

export interface Drawn {
  first: number;
  last: number;
  rowPixels: number;
  /** The same in a list of `count` rows. */
  upTo: (count: number) => { first: number; last: number };
}

/** The rows from `first` to `last` of `count`; from the top again when `key` changes. */
export function useDrawnRows(
  scroll: RefObject<HTMLElement | null>,
  sizes: Sizes,
  key: string,
): Drawn {
  const [box, setBox] = useState({ width: Number.POSITIVE_INFINITY, height: 900 });
  const [top, setTop] = useState({ step: 0, key });
  if (top.key !== key) setTop({ step: 0, key });
  const stacked = box.width <= STACKED_WIDTH_PIXELS;
  const rowPixels = stacked ? sizes.stackedRowPixels : sizes.rowPixels;
  const latest = useRef({ key, rowPixels });
  latest.current = { key, rowPixels };

  useLayoutEffect(() => {
    const element = scroll.current;
    if (!element) return;
    const read = () => setBox({ width: element.clientWidth, height: element.clientHeight });
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroll]);

  useEffect(() => {
    const element = scroll.current;
    if (!element) return;
    const read = () => {
      const { key: now, rowPixels: pixels } = latest.current;
      const step = Math.floor(element.scrollTop / pixels / STEP_ROWS);
      setTop((held) => (held.step === step && held.key === now ? held : { step, key: now }));
    };
    read();
    element.addEventListener("scroll", read, { passive: true });
    return () => element.removeEventListener("scroll", read);
  }, [scroll]);

  const step = top.key === key ? top.step : 0;
  const inSight = Math.ceil(box.height / rowPixels);
  const first = Math.max(0, step * STEP_ROWS - BEYOND_ROWS);
  const last = (step + 1) * STEP_ROWS + inSight + BEYOND_ROWS;
  return {
    first,
    last,
    rowPixels,
    upTo: (count) => ({
      first: Math.min(first, Math.max(0, count - inSight - STEP_ROWS)),
      last: Math.min(last, count - 1),
    }),
  };
}
