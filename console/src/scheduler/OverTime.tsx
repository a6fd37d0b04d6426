/** What the cycles did over time: how many, how long, what they decided, and who was refused why. */
import { useMemo } from "react";
import { RangePicker } from "../charts/RangePicker";
import { rangeWrite } from "../charts/range";
import type { ChartSeries, Format } from "../charts/series";
import { TimeChart } from "../charts/TimeChart";
import { useRange } from "../charts/useRange";
import { FailureState } from "../frame/FailureState";
import { useMinutes } from "./queries";
import classes from "./scheduler.module.css";
import { type Curves, curvesOf, minutesInWords, tookFormat } from "./words";

const USUAL = "6h";
const PACE_MS = 60_000;
const choices = ["1h", "6h", "24h", "7d"] as const;

const number = (value: number, most: number) =>
  value.toLocaleString("en", { maximumFractionDigits: most });
const perMinute: Format = Object.assign(
  (value: number) => `${number(value, value < 10 ? 1 : 0)} a minute`,
  {
    exact: (value: number) => `${number(value, 2)} a minute`,
    tick: (value: number) => number(value, 1),
  },
);
const workloads: Format = Object.assign(
  (value: number) => `${number(value, 0)} ${value === 1 ? "workload" : "workloads"}`,
  { tick: (value: number) => number(value, 1) },
);

const charts: { id: keyof Curves; label: string; format: Format; stacked?: true; empty: string }[] =
  [
    { id: "cycles", label: "Cycles", format: perMinute, empty: "No cycle was in this time." },
    {
      id: "times",
      label: "Time of a cycle",
      format: tookFormat,
      empty: "No cycle was in this time.",
    },
    {
      id: "decisions",
      label: "Decisions",
      format: perMinute,
      stacked: true,
      empty: "Nothing was decided in this time.",
    },
    {
      id: "refusals",
      label: "Refused, by reason",
      format: workloads,
      stacked: true,
      empty: "Nobody was refused in this time.",
    },
  ];

export function OverTime() {
  const { search, range, change } = useRange(USUAL, PACE_MS);
  const minutes = useMinutes(range.from, range.live ? null : range.to);
  const curves = useMemo(() => minutes.data && curvesOf(minutes.data), [minutes.data]);
  return (
    <section aria-label="Over time">
      <div className={classes.lead}>
        <p className={classes.sentence}>{minutes.data && minutesInWords(minutes.data)}</p>
        <RangePicker value={search} onChange={change} usual={USUAL} choices={choices} />
      </div>
      {minutes.error && !minutes.data ? (
        <FailureState error={minutes.error} onRetry={() => minutes.refetch()} />
      ) : (
        <div className={classes.charts}>
          {charts.map(({ id, label, format, stacked = false, empty }) => (
            <TimeChart
              key={id}
              label={label}
              series={curves && withValues(curves[id], stacked)}
              from={range.from}
              to={range.to}
              format={format}
              stacked={stacked}
              empty={empty}
              group="scheduler"
              height={120}
              onRange={(from, to) => change(rangeWrite(from, to))}
            />
          ))}
        </div>
      )}
    </section>
  );
}

/** Layers that are nothing all the time only fill the legend. */
function withValues(series: ChartSeries[], stacked: boolean): ChartSeries[] {
  if (!stacked) return series;
  return series.filter(({ points }) => points.some(({ value }) => value));
}
