/** The look of each series of a chart, as style sheets say it: it follows the scheme by itself. */
import { colourAt, isDashed, placeOf } from "./colours";
import type { ChartSeries } from "./series";

export interface DrawnSeries extends ChartSeries {
  colour: string;
  dashed: boolean;
  /** Another series is looked at. */
  dimmed: boolean;
}

export function drawnOf(series: readonly ChartSeries[], looked: string | null): DrawnSeries[] {
  const all = series.map(({ id }) => id);
  const found = looked !== null && all.includes(looked);
  return series.map((each) => {
    const place = placeOf(each.id, all);
    return {
      ...each,
      colour: each.tone ? `var(${each.tone})` : colourAt(place),
      dashed: !each.tone && isDashed(place),
      dimmed: found && each.id !== looked,
    };
  });
}
