/** Rows of a list of which only some are known, and how they stay where they are. Pure. */
import type { Workload } from "../api/types";

export interface Rows {
  total: number;
  at: (index: number) => Workload | undefined;
  /** Where a workload stands, if its row is known. */
  placeOf: (id: string) => number | undefined;
}

/** Rows as they were when the pointer came; they change in place, and no other takes their place. */
export interface Kept {
  rows: ReadonlyMap<number, Workload>;
  /** How many rows came in above them since (or went, if negative). */
  shift: number;
  total: number;
}

/** Rows kept beyond those in sight, before they are let go. */
const KEPT_BEYOND_ROWS = 400;

export function keptBegin(live: Rows, first: number, last: number): Kept {
  const rows = new Map<number, Workload>();
  for (let index = first; index <= last; index++) {
    const row = live.at(index);
    if (row) rows.set(index, row);
  }
  return { rows, shift: 0, total: live.total };
}

/** The kept rows after the list changed or was scrolled; the same object if they are the same. */
export function keptNext(kept: Kept, live: Rows, first: number, last: number): Kept {
  const inSight = [...kept.rows].filter(([index]) => index >= first && index <= last);
  const found = shiftOf(inSight, live);
  // Where so much came in that no row is known any more, the count says how much it was.
  const shift = found ?? (live.total === kept.total ? kept.shift : live.total - kept.total);
  const rows = new Map<number, Workload>();
  let same = shift === kept.shift;
  for (const [index, row] of kept.rows) {
    if (index < first - KEPT_BEYOND_ROWS || index > last + KEPT_BEYOND_ROWS) {
      same = false;
      continue;
    }
    const place = live.placeOf(row.id);
    const now = (place === undefined ? undefined : live.at(place)) ?? row;
    if (now !== row) same = false;
    rows.set(index, now);
  }
  const shown = new Set([...rows.values()].map((row) => row.id));
  for (let index = first; index <= last; index++) {
    if (rows.has(index)) continue;
    const row = live.at(index + shift);
    if (!row || shown.has(row.id)) continue;
    rows.set(index, row);
    same = false;
  }
  return same ? kept : { rows, shift, total: kept.total };
}

export function keptRows(kept: Kept, live: Rows): Rows {
  const places = new Map([...kept.rows].map(([index, row]) => [row.id, index]));
  return {
    total: Math.max(0, live.total - kept.shift),
    at: (index) => kept.rows.get(index) ?? live.at(index + kept.shift),
    placeOf: (id) => {
      const place = live.placeOf(id);
      return places.get(id) ?? (place === undefined ? undefined : place - kept.shift);
    },
  };
}

/**
 * By how many places most of `before` moved down in `now`; undefined when none is known there.
 * One that moved for itself, because what it is sorted by changed, is outvoted.
 */
export function shiftOf(
  before: Iterable<readonly [number, Pick<Workload, "id">]>,
  now: Rows,
): number | undefined {
  const votes = new Map<number, number>();
  for (const [index, { id }] of before) {
    const place = now.placeOf(id);
    if (place !== undefined) votes.set(place - index, (votes.get(place - index) ?? 0) + 1);
  }
  let most: number | undefined;
  for (const [shift, count] of votes) {
    if (most === undefined || count > (votes.get(most) ?? 0)) most = shift;
  }
  return most;
}
