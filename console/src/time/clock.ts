/** One shared clock for everything on the screen that says how long ago something was. */
import { useSyncExternalStore } from "react";

const TICK_MS = 1_000;
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** Renders again only when what `read` makes of the time changes. */
export function useClock<Value extends string | number>(read: (nowMs: number) => Value): Value {
  return useSyncExternalStore(subscribe, () => read(timer === undefined ? fresh() : now));
}

function fresh(): number {
  // Whole ticks only, so that two reads within one render agree.
  now = Math.floor(Date.now() / TICK_MS) * TICK_MS;
  return now;
}
