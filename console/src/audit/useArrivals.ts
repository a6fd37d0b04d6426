/** Keeps a list still while someone reads in it: what is new waits until it is asked for. */
import { useState } from "react";
import type { AuditEntry } from "../api/types";

interface Arrivals {
  shown: readonly AuditEntry[];
  /** How many wait. */
  waiting: number;
  /** Whether someone reads: the pointer is on the list, or it is scrolled. */
  hold: (reading: boolean) => void;
  show: () => void;
}

/** `list` names what is listed: another list is shown as it is. */
export function useArrivals(entries: readonly AuditEntry[], list: string): Arrivals {
  const newest = entries[0]?.seq ?? 0;
  const [held, setHeld] = useState<{ list: string; through: number } | null>(null);
  const through = held?.list === list && held.through > 0 ? held.through : newest;
  const shown = through < newest ? entries.filter(({ seq }) => seq <= through) : entries;
  return {
    shown,
    waiting: entries.length - shown.length,
    hold: (reading) => {
      if (!reading) setHeld(null);
      else if (held?.list !== list) setHeld({ list, through: newest });
    },
    show: () => setHeld({ list, through: newest }),
  };
}
