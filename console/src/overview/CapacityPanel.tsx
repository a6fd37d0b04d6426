/** How the cluster's GPUs were used over time. */
import { useViewportSize } from "@mantine/hooks";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { formats } from "../charts/formats";
import { RangePicker } from "../charts/RangePicker";
import { type RangeSearch, rangeOf, rangeRead, rangeWrite, type Span } from "../charts/range";
import { TimeChart } from "../charts/TimeChart";
import { useClock } from "../time/clock";
import { capacitySeries } from "./capacity";
import classes from "./overview.module.css";
import { Panel } from "./Panel";
import { CAPACITY_SPAN, useCapacity } from "./queries";

const choices: readonly Span[] = ["1h", "6h", "24h", "7d"];
/** The plot moves on by so many steps over its width, and not with each second. */
const MOVES = 360;
const PACE_MS = 5_000;
const HEIGHT = 140;
/** On a screen as large as this the page would end half way down; the plot gets what is left. */
const LARGE = { width: 2040, height: 1100 };
const OTHERS_PIXELS = 830;

export function CapacityPanel() {
  const { width, height } = useViewportSize();
  const large = width >= LARGE.width && height >= LARGE.height;
  const range = rangeRead(useSearch({ strict: false }));
  const navigate = useNavigate();
  const { data, error } = useCapacity(range);
  const paceMs = paceOf(range);
  const now = useClock((ms) => Math.ceil(ms / paceMs) * paceMs);
  const { from, to } = rangeOf(range, now, { usual: CAPACITY_SPAN });
  const series = useMemo(() => data && capacitySeries(data.points), [data]);

  const change = ({ range: span, from: start, to: end }: RangeSearch) =>
    void navigate({
      to: ".",
      search: (held) => ({ ...held, range: span, from: start, to: end }) as typeof held,
      replace: true,
    });

  return (
    <Panel
      area="capacity"
      title="GPUs over time"
      aside={
        <RangePicker value={range} onChange={change} usual={CAPACITY_SPAN} choices={choices} />
      }
    >
      <div className={classes.capacity}>
        <TimeChart
          bare
          stacked
          label="GPUs over time"
          series={error && !data ? [] : series}
          from={from}
          to={to}
          format={formats.gpus}
          height={large ? height - OTHERS_PIXELS : HEIGHT}
          empty={error && !data ? error.message : "Nothing was recorded in this time."}
          onRange={(start, end) => change(rangeWrite(start, end))}
        />
      </div>
    </Panel>
  );
}

function paceOf(range: RangeSearch): number {
  const { from, to } = rangeOf(range, 0, { usual: CAPACITY_SPAN });
  return Math.max(PACE_MS, Math.round((to - from) / MOVES / PACE_MS) * PACE_MS);
}
