/** What it used over time against what it asked for: CPU, memory, GPUs. Brings the charts along. */
import { SegmentedControl } from "@mantine/core";
import type { WorkloadDetail } from "../../api/types";
import { formats } from "../../charts/formats";
import { RangePicker } from "../../charts/RangePicker";
import { rangeRead, rangeWrite } from "../../charts/range";
import { TimeChart } from "../../charts/TimeChart";
import { EmptyState } from "../../frame/EmptyState";
import { PageState } from "../../frame/PageState";
import { capitalised, isEnded } from "../state";
import { seriesOf, useCurves } from "./curves";
import classes from "./detail.module.css";
import { useDetailSearch } from "./useDetailSearch";

const RANKS_DRAWN = 16;
const HEIGHT = 128;

const charts = [
  { quantity: "cpu", label: "CPU", format: formats.cores, gpu: false },
  { quantity: "memory", label: "Memory", format: formats.bytes, gpu: false },
  { quantity: "gpu_busy", label: "GPUs kept busy", format: formats.gpus, gpu: true },
  { quantity: "gpu_memory", label: "GPU memory", format: formats.bytes, gpu: true },
] as const;

export default function ResourcesTab({ workload }: { workload: WorkloadDetail }) {
  const { search, change } = useDetailSearch();
  const range = rangeRead(search);
  const { total } = workload.replicas;
  const each = search.each === "rank" && total > 1;
  const query = useCurves(workload, range, each);
  if (!workload.started_at) {
    return (
      <EmptyState
        title={isEnded(workload.state) ? "Nothing was measured" : "Nothing to measure yet"}
        sentence={
          isEnded(workload.state)
            ? "It ended before it had started."
            : "Curves begin when it starts, and gain a point every 10 seconds."
        }
      />
    );
  }
  if (query.error && !query.data) return <PageState query={query} what="its curves" rows={6} />;

  const { data } = query;
  const word = workload.array ? "Task" : "Replica";
  const withGpus =
    workload.resources.gpu_milli > 0 || (workload.resources.gpu_share_bytes ?? 0) > 0;
  const measured = new Set<string>(data?.curves.series.map(({ quantity }) => quantity));
  const drawn = charts.filter(
    ({ quantity, gpu }) => (gpu ? withGpus : true) || measured.has(quantity),
  );
  const unmeasured = data ? drawn.filter(({ quantity }) => !measured.has(quantity)) : [];
  return (
    <div className={classes.resources}>
      <div className={classes.resourcesBar}>
        <RangePicker
          value={range}
          usual="all"
          onChange={(next) => change({ range: undefined, from: undefined, to: undefined, ...next })}
        />
        {total > 1 && (
          <SegmentedControl
            size="xs"
            aria-label="Curves"
            data={[
              { value: "all", label: "All as one" },
              { value: "rank", label: `By ${word.toLowerCase()}` },
            ]}
            value={each ? "rank" : "all"}
            onChange={(value) => change({ each: value === "rank" ? "rank" : undefined })}
          />
        )}
      </div>
      {each && total > RANKS_DRAWN && (
        <p className={classes.note}>
          The first {RANKS_DRAWN} of {total.toLocaleString("en")} are drawn.
        </p>
      )}
      <div className={classes.charts}>
        {drawn
          .filter((chart) => !unmeasured.includes(chart))
          .map(({ quantity, label, format }) => {
            const series = data?.curves.series.find((one) => one.quantity === quantity);
            return (
              <TimeChart
                key={quantity}
                label={label}
                series={data && seriesOf(series, word)}
                from={data?.asked.fromMs ?? 0}
                to={data?.asked.toMs ?? 1}
                format={format}
                limit={series?.limit ?? null}
                height={HEIGHT}
                group={workload.id}
                onRange={(from, to) => change({ range: undefined, ...rangeWrite(from, to) })}
              />
            );
          })}
      </div>
      {data && unmeasured.length > 0 && (
        <p className={classes.note}>
          {unmeasuredInWords(
            unmeasured.map(({ label }) => label),
            workload,
          )}
        </p>
      )}
    </div>
  );
}

/** Values come every 10 seconds; where none is after a few times that, none will be. */
const FIRST_VALUES_MS = 40_000;

function unmeasuredInWords(labels: string[], workload: WorkloadDetail): string {
  const { state, started_at, replica_list } = workload;
  const what = capitalised(
    new Intl.ListFormat("en").format(
      labels.map((label, at) => (at === 0 ? label : lowered(label))),
    ),
  );
  const one = labels.length === 1;
  const fresh = started_at != null && Date.now() - Date.parse(started_at) < FIRST_VALUES_MS;
  if (fresh && !isEnded(state)) return `${what}: the first values come within 10 seconds.`;
  const virtual = replica_list.some(({ devices }) => devices?.some((device) => device.virtual));
  const why = virtual ? " Virtual GPUs have none." : "";
  return `${what} ${isEnded(state) ? (one ? "was" : "were") : one ? "is" : "are"} not measured.${why}`;
}

function lowered(label: string): string {
  return /^[A-Z]{2}/.test(label) ? label : label.charAt(0).toLowerCase() + label.slice(1);
}
