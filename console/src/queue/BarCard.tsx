/** One card for all bars of the time line: what the one under the pointer or the focus is. */
import { type FocusEvent, type PointerEvent, useMemo, useState } from "react";
import { momentInWords } from "../time/words";
import { useTimeZone } from "../time/zone";
import {
  type Bar,
  type Booking,
  bookingInWords,
  gpusInWords,
  type Lane,
  periodInWords,
  whenInWords,
  whoInWords,
} from "./lanes";
import classes from "./timeline.module.css";

interface Shown {
  key: string;
  left: number;
  top: number;
}

const CARD_WIDTH = 280;
const CARD_HEIGHT = 96;

export function useBarCard(lanes: readonly Lane[]) {
  const [shown, setShown] = useState<Shown | null>(null);
  const zone = useTimeZone();
  const known = useMemo(() => {
    const found = new Map<string, { bar?: Bar; booking?: Booking; node: string }>();
    for (const { node, bars, bookings } of lanes) {
      for (const bar of bars) found.set(bar.key, { bar, node: node.name });
      for (const booking of bookings) found.set(booking.key, { booking, node: node.name });
    }
    return found;
  }, [lanes]);

  function show(target: EventTarget, x?: number) {
    const found = target instanceof Element ? target.closest<HTMLElement>("[data-bar]") : null;
    const key = found?.dataset.bar;
    if (!found || !key) {
      setShown(null);
      return;
    }
    const box = found.getBoundingClientRect();
    const left = Math.max(8, Math.min(x ?? box.left, window.innerWidth - CARD_WIDTH - 8));
    const below = box.bottom + 6;
    const top = below + CARD_HEIGHT > window.innerHeight ? box.top - CARD_HEIGHT : below;
    setShown((before) => (before?.key === key ? before : { key, left, top }));
  }

  const moment = (iso: string) => momentInWords(iso, zone, Date.now());
  const told = shown && known.get(shown.key);
  const lines = told && linesOf(told, moment);
  const card = shown && lines && (
    <div
      className={classes.card}
      role="tooltip"
      style={{ left: shown.left, top: shown.top, maxWidth: CARD_WIDTH }}
    >
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
  return {
    card,
    onPointerOver: (event: PointerEvent) => show(event.target, event.clientX),
    onPointerLeave: () => setShown(null),
    onFocus: (event: FocusEvent) => show(event.target),
    onBlur: () => setShown(null),
  };
}

function linesOf(
  { bar, booking, node }: { bar?: Bar; booking?: Booking; node: string },
  moment: (iso: string) => string,
): string[] {
  if (booking) {
    return [bookingInWords(booking), periodInWords(booking.from, booking.until, moment)];
  }
  if (!bar) return [];
  const of = bar.workload && [bar.workload.project, bar.workload.owner].filter(Boolean).join(", ");
  return [
    whoInWords(bar),
    ...(of ? [of] : []),
    `${gpusInWords(bar.gpu_milli)} on ${node}`,
    sentence(whenInWords(bar, moment)) +
      (bar.kind === "running" && bar.until !== null ? (bar.certain ? " (its limit)" : "") : ""),
  ];
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
