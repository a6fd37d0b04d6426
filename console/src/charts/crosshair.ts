/** The time that is looked at, shared by the charts of one group. */
import { useRef, useSyncExternalStore } from "react";

export class Crosshair {
  private at: number | null = null;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly read = (): number | null => this.at;

  move(at: number | null): void {
    if (at === this.at) return;
    this.at = at;
    for (const each of this.listeners) each();
  }
}

const groups = new Map<string, Crosshair>();

/** Charts with the same `group` share one; without a group it is the chart's own. */
export function useCrosshair(group: string | undefined): Crosshair {
  const own = useRef<Crosshair>(null);
  own.current ??= new Crosshair();
  if (group === undefined) return own.current;
  let shared = groups.get(group);
  if (!shared) {
    shared = new Crosshair();
    groups.set(group, shared);
  }
  return shared;
}

export function useCrosshairTime(crosshair: Crosshair): number | null {
  return useSyncExternalStore(crosshair.subscribe, crosshair.read);
}
