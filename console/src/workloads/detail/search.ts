/** What of a workload's address says how it is looked at: tab, page, log, replicas, spec, curves. */
import { type RangeSearch, rangeRead } from "../../charts/range";

/** A type and not an interface, so that it passes where any search may. */
export type DetailSearch = {
  tab?: string;
  /** It takes the whole page, and not a panel beside the list. */
  as?: "page";
  /** Whose log is shown; everyone's if none. */
  rank?: number[];
  /** Which attempt's log, where it is not the latest. */
  attempt?: number;
  /** What is looked for in the log. */
  find?: string;
  /** `RANK.ATTEMPT@OFFSET` of a line of the log. */
  line?: string;
  /** Only the replicas in this state. */
  replicas?: string;
  /** What replicas are in order of, `-` in front for the other direction. */
  by?: string;
  spec?: "resolved" | "both";
  /** A curve for each rank. */
  each?: "rank";
} & RangeSearch;

const LINE = /^\d{1,6}\.\d{1,7}@\d{1,18}$/;
const RANKS_MAX = 256;

/** Reads what stands in the address; what it does not know, it leaves out. */
export function detailSearchRead(search: Record<string, unknown>): DetailSearch {
  const rank = ranksOf(search.rank);
  const attempt = numberOf(search.attempt);
  const { tab, as, find, line, replicas, by, spec, each } = search;
  return {
    ...rangeRead(search),
    ...(isText(tab) && { tab }),
    ...(as === "page" && { as }),
    ...(rank.length > 0 && { rank }),
    ...(attempt && { attempt }),
    ...(isText(find) && { find }),
    ...(isText(line) && LINE.test(line) && { line }),
    ...(isText(replicas) && { replicas }),
    ...(isText(by) && { by }),
    ...((spec === "resolved" || spec === "both") && { spec }),
    ...(each === "rank" && { each }),
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function ranksOf(value: unknown): number[] {
  const given: unknown[] = Array.isArray(value) ? value : [value];
  const ranks = given.map(numberOf).filter((each) => each !== undefined);
  return [...new Set(ranks)].sort((a, b) => a - b).slice(0, RANKS_MAX);
}

function numberOf(value: unknown): number | undefined {
  return /^\d{1,6}$/.test(String(value)) ? Number(value) : undefined;
}
