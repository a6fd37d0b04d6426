/** GPU time of today against yesterday, and of the last 48 hours. */
import type { Overview } from "../api/types";
import { ArrowIcon } from "../frame/icons";
import { gpuTimeInWords } from "../quantity/words";
import { Figure } from "./Figure";
import { HourBars } from "./HourBars";
import { WorkloadsLink } from "./links";
import classes from "./overview.module.css";
import { Panel } from "./Panel";
import { deltaOf } from "./sums";

export function GpuHours({ overview }: { overview: Overview | undefined }) {
  const hours = overview?.gpu_hours;
  return (
    <Panel area="hours" title="GPU time">
      <dl className={classes.figures}>
        <Figure
          label="Today"
          {...numberAndUnit(hours?.today_gpu_seconds)}
          exact={hours && exactTime(hours.today_gpu_seconds)}
          link={(number) => (
            <WorkloadsLink plain to={{ sort: "gpus", state: ["running"] }}>
              {number}
            </WorkloadsLink>
          )}
        />
        <Figure
          label="All of yesterday"
          {...numberAndUnit(hours?.yesterday_gpu_seconds)}
          exact={hours && exactTime(hours.yesterday_gpu_seconds)}
          link={(number) => (
            <WorkloadsLink plain to={{ sort: "ended", ended_since: "7d" }}>
              {number}
            </WorkloadsLink>
          )}
        />
      </dl>
      <p className={classes.against}>{overview && <Against overview={overview} />}</p>
      <HourBars hours={hours?.hours} />
    </Panel>
  );
}

function Against({ overview }: { overview: Overview }) {
  const { gpuSeconds, percent } = deltaOf(overview);
  const before = overview.gpu_hours.yesterday_so_far_gpu_seconds;
  const exact = `Yesterday by this time: ${exactTime(before)}`;
  if (Math.abs(gpuSeconds) < 1) return <span title={exact}>As much as yesterday by now</span>;
  const up = gpuSeconds > 0;
  return (
    <span className={classes.delta} title={exact}>
      <ArrowIcon up={up} />
      {up ? "+" : "−"}
      {percent === null ? gpuTimeInWords(Math.abs(gpuSeconds)) : `${Math.abs(percent)} %`}
      <span className={classes.deltaWords}>against yesterday by now</span>
    </span>
  );
}

/** "3.2 GPU-hours" as a number and what it counts. */
function numberAndUnit(gpuSeconds: number | undefined) {
  if (gpuSeconds === undefined) return { value: undefined };
  const words = gpuSeconds === 0 ? "0 GPU-hours" : gpuTimeInWords(gpuSeconds);
  const cut = words.lastIndexOf(" ");
  return { value: words.slice(0, cut), unit: words.slice(cut + 1) };
}

function exactTime(gpuSeconds: number): string {
  return `${(gpuSeconds / 3600).toLocaleString("en", { maximumFractionDigits: 3 })} GPU-hours (${Math.round(gpuSeconds).toLocaleString("en")} GPU-seconds)`;
}
