/** Names in the list: which of them are shared, and how much room they take. */
import type { Workload } from "../api/types";

/** Ids begin with their time, so the end is where neighbours differ. */
const SHORT_ID_LETTERS = 6;

export function shortId(id: string): string {
  return id.slice(-SHORT_ID_LETTERS);
}

export interface Names {
  /** Names that more than one row has. */
  shared: ReadonlySet<string>;
  /** Letters of the longest, with its short id where it shows one. */
  letters: number;
}

export function namesOf(rows: readonly Pick<Workload, "name">[]): Names {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const { name } of rows) {
    if (seen.has(name)) shared.add(name);
    seen.add(name);
  }
  let letters = 0;
  for (const name of seen) {
    letters = Math.max(letters, name.length + (shared.has(name) ? SHORT_ID_LETTERS + 1 : 0));
  }
  return { shared, letters };
}
