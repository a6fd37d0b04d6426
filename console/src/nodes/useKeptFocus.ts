/** The row that has the focus is drawn wherever one scrolls: what is taken away loses it. */
import { defaultRangeExtractor, type Range } from "@tanstack/react-virtual";
import { type FocusEvent, useCallback, useState } from "react";

/** Rows say their place as `data-index`. */
export function useKeptFocus() {
  const [focused, setFocused] = useState<number | null>(null);
  const handlers = {
    onFocus: ({ target }: FocusEvent<HTMLElement>) => {
      const row = target.closest<HTMLElement>("[data-index]");
      setFocused(row ? Number(row.dataset.index) : null);
    },
    onBlur: ({ currentTarget, relatedTarget }: FocusEvent<HTMLElement>) => {
      if (!currentTarget.contains(relatedTarget)) setFocused(null);
    },
  };
  const rangeExtractor = useCallback(
    (range: Range) => {
      const inSight = defaultRangeExtractor(range);
      if (focused === null || focused >= range.count || inSight.includes(focused)) return inSight;
      return [...inSight, focused].sort((a, b) => a - b);
    },
    [focused],
  );
  return { handlers, rangeExtractor };
}
