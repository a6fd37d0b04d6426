/** What of the palette is open: nothing, the palette itself, or the sheet of keys. */
import { useSyncExternalStore } from "react";

export type Opened = "none" | "palette" | "keys";

const listeners = new Set<() => void>();
let opened: Opened = "none";
/** What was typed while the palette was still on its way. */
let typedAhead = "";

function set(next: Opened): void {
  opened = next;
  for (const each of listeners) each();
}

export function openedNow(): Opened {
  return opened;
}

export function typedAheadAdd(letter: string): void {
  typedAhead += letter;
}

/** Gives it away, once. */
export function typedAheadTake(): string {
  const text = typedAhead;
  typedAhead = "";
  return text;
}

export function paletteOpen(): void {
  typedAhead = "";
  set("palette");
}

export function keysOpen(): void {
  set("keys");
}

export function paletteClose(): void {
  set("none");
}

export function useOpened(): Opened {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => opened,
  );
}
