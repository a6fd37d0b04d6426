/** What a node's GPUs did over time: a chart for each quantity that was measured. */
import { useState } from "react";
import type { Curves, Node } from "../api/types";
import { formats } from "../charts/formats";
import { RangePicker } from "../charts/RangePicker";
import { rangeWrite } from "../charts/range";
import type { ChartSeries, Format } from "../charts/series";
import { TimeChart } from "../charts/TimeChart";
import { useRange } from "../charts/useRange";
import { FailureState } from "../frame/FailureState";
import classes from "./node.module.css";
import { useNodeCurves } from "./queries";

type Quantity = Curves["series"][number]["quantity"];

/** The server tells use in GPUs kept busy; of one device that is a share. */
const shown: { quantity: Quantity; label: string; format: Format; scale?: number }[] = [
  { quantity: "gpu_busy", label: "Really used", format: formats.percent, scale: 100 },
  { quantity: "gpu_memory", label: "GPU memory", format: formats.bytes },
  { quantity: "power", label: "Power", format: formats.watts },
  { quantity: "temperature", label: "Temperature", format: formats.degrees },
];

const USUAL = "1h";
const PACE_MS = 10_000;
const choices = ["15m", "1h", "6h", "24h", "7d"] as const;

export function NodeCurves({ node }: { node: Node }) {
  const { search, range, change } = useRange(USUAL, PACE_MS);
  const curves = useNodeCurves(node.name, range.from, range.live ? null : range.to);
  const [loadedOnce] = useState(() => Date.now());
  const known = curves.data?.series.filter(({ lines }) => lines.length > 0) ?? [];
  if (node.devices.length === 0) return null;
  return (
    <section aria-labelledby="node-curves">
      <div className={classes.headingBar}>
        <h2 id="node-curves" className={classes.heading}>
          Over time
        </h2>
        <RangePicker value={search} onChange={change} usual={USUAL} choices={choices} />
      </div>
      {curves.error && !curves.data && (
        <FailureState error={curves.error} onRetry={() => curves.refetch()} />
      )}
      {curves.data && known.length === 0 && (
        <p className={classes.quiet}>
          Nothing was measured in this time. Virtual GPUs are measured while work runs on them.
        </p>
      )}
      <div className={classes.charts}>
        {(curves.data
          ? shown.filter(({ quantity }) => has(known, quantity))
          : shown.slice(0, 1)
        ).map(({ quantity, label, format, scale = 1 }) => (
          <TimeChart
            key={quantity}
            label={label}
            series={curves.data && seriesOf(known, quantity, scale)}
            from={Math.min(range.from, loadedOnce)}
            to={range.to}
            format={format}
            group={`node ${node.name}`}
            onRange={(from, to) => change(rangeWrite(from, to))}
          />
        ))}
      </div>
    </section>
  );
}

function has(known: Curves["series"], quantity: Quantity): boolean {
  return known.some((each) => each.quantity === quantity);
}

function seriesOf(known: Curves["series"], quantity: Quantity, scale: number): ChartSeries[] {
  const found = known.find((each) => each.quantity === quantity);
  return (found?.lines ?? []).map(({ device, points }, index) => ({
    id: device ?? String(index),
    name: device ? `GPU ${device.slice(device.lastIndexOf("/") + 1)}` : "All",
    points: points.map(({ at, mean, low, high }) => ({
      at: Date.parse(at),
      value: mean * scale,
      low: low * scale,
      high: high * scale,
    })),
  }));
}
