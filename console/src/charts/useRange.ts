/** The range of time in the address of a page: what it says, what it means now, and another one. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useClock } from "../time/clock";
import { type RangeSearch, rangeOf, rangeRead, type Span, type TimeRange } from "./range";

interface RangeInAddress {
  search: RangeSearch;
  range: TimeRange;
  change: (next: RangeSearch) => void;
}

/** A range that ends now moves on once in `paceMs`. */
export function useRange(usual: Span, paceMs: number): RangeInAddress {
  const search = rangeRead(useSearch({ strict: false }));
  const navigate = useNavigate();
  const now = useClock((ms) => ms - (ms % paceMs));
  const change = (next: RangeSearch) =>
    void navigate({
      to: ".",
      search: ((before: Record<string, unknown>) => {
        const { range: _range, from: _from, to: _to, ...kept } = before;
        return { ...kept, ...next };
      }) as never,
      replace: true,
    });
  return { search, range: rangeOf(search, now, { usual }), change };
}
