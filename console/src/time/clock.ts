/** One shared clock for everything on the screen that says how long ago something was. */
import { useSyncExternalStore } from "react";

const TICK_MS = 1_000;
const listeners = new Set<() => void>();

/** It moves in one place only and in whole ticks, so that what one page says always agrees. */
let now = wholeTick();

function tick(): void {
  now = wholeTick();
  for (const each of listeners) each();
  // To the next whole tick and not one tick on, so that late ticks do not add up and skip one.
  setTimeout(tick, TICK_MS - (Date.now() % TICK_MS));
}

tick();

function wholeTick(): number {
  return Math.floor(Date.now() / TICK_MS) * TICK_MS;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Renders again only when what `read` makes of the time changes. */
export function useClock<Value extends string | number>(read: (nowMs: number) => Value): Value {
  return useSyncExternalStore(subscribe, () => read(now));
}
