/** Keeps rows where they are: under the pointer nothing comes or goes, elsewhere the view follows. */
import { type RefObject, useLayoutEffect, useRef, useState } from "react";
import type { Workload } from "../api/types";
import { type Kept, keptBegin, keptNext, keptRows, type Rows, shiftOf } from "./rows";

interface Given {
  live: Rows;
  /** Which list it is; another list starts afresh. */
  list: string;
  held: boolean;
  drawn: { first: number; last: number; rowPixels: number };
  scroll: RefObject<HTMLElement | null>;
}

interface Shown {
  rows: Rows;
  /** How many rows came in above since one saw the top. */
  above: number;
  /** Shows what came in. */
  release: () => void;
}

export function useKeptRows({ live, list, held, drawn, scroll }: Given): Shown {
  const { first, last } = drawn;
  const [keeping, setKeeping] = useState<{ kept: Kept; list: string } | null>(null);
  const keeps = held && keeping !== null && keeping.list === list;
  if (!held && keeping) setKeeping(null);
  if (held && !keeps) setKeeping({ kept: keptBegin(live, first, last), list });
  if (keeps) {
    const kept = keptNext(keeping.kept, live, first, last);
    if (kept !== keeping.kept) setKeeping({ kept, list });
  }
  const rows = keeps ? keptRows(keeping.kept, live) : live;
  const { above, aboveClear } = useAnchor({ rows, list, drawn, scroll });
  const release = () => {
    setKeeping(null);
    aboveClear();
    if (scroll.current) scroll.current.scrollTop = 0;
  };
  return { rows, above: Math.max(0, above + (keeps ? keeping.kept.shift : 0)), release };
}

/** When rows come in above, scrolls on by as much, so that what one reads stays in its place. */
function useAnchor({ rows, list, drawn, scroll }: Omit<Given, "live" | "held"> & { rows: Rows }) {
  const { first, last, rowPixels } = drawn;
  const [above, setAbove] = useState({ count: 0, list });
  const before = useRef<{ list: string; rows: [number, Workload][] }>({ list, rows: [] });
  useLayoutEffect(() => {
    const element = scroll.current;
    const moved = before.current.list === list ? (shiftOf(before.current.rows, rows) ?? 0) : 0;
    const now: [number, Workload][] = [];
    for (let index = first; index <= last; index++) {
      const row = rows.at(index);
      if (row) now.push([index, row]);
    }
    before.current = { list, rows: now };
    if (!element || moved === 0) return;
    const isFocused =
      element.contains(document.activeElement) && document.activeElement !== element;
    if (element.scrollTop < rowPixels && !isFocused) return;
    element.scrollTop += moved * rowPixels;
    setAbove((held) => ({
      count: Math.max(0, (held.list === list ? held.count : 0) + moved),
      list,
    }));
  });
  const aboveClear = () => setAbove({ count: 0, list });
  useLayoutEffect(() => {
    const element = scroll.current;
    const read = () => {
      if (element && element.scrollTop < 1) {
        setAbove((held) => (held.count === 0 ? held : { ...held, count: 0 }));
      }
    };
    element?.addEventListener("scroll", read, { passive: true });
    return () => element?.removeEventListener("scroll", read);
  }, [scroll]);
  return { above: above.list === list ? above.count : 0, aboveClear };
}
