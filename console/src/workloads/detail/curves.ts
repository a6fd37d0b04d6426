/** What a workload used over time, as charts take it. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import type { Curves, WorkloadDetail } from "../../api/types";
import type { RangeSearch } from "../../charts/range";
import { rangeOf } from "../../charts/range";
import type { ChartSeries } from "../../charts/series";
import { isEnded } from "../state";

/** Samples come every 10 seconds. */
export const REREAD_MS = 10_000;

export interface CurvesAsked {
  fromMs: number;
  toMs: number;
  each: boolean;
}

/** The time that the address asks for, within the workload's own. */
export function askedOf(
  { submitted_at, started_at, ended_at }: WorkloadDetail,
  range: RangeSearch,
  each: boolean,
  nowMs: number,
): CurvesAsked {
  const startMs = Date.parse(started_at ?? submitted_at);
  const endMs = ended_at ? Date.parse(ended_at) : nowMs;
  const { from, to } = rangeOf(range, endMs, { usual: "all", earliest: startMs });
  const fromMs = Math.max(from, startMs);
  // A range wholly outside of its life shows all of it.
  if (fromMs >= Math.min(to, endMs))
    return { fromMs: startMs, toMs: Math.max(endMs, startMs + 1000), each };
  return { fromMs, toMs: Math.min(to, endMs), each };
}

export function useCurves(workload: WorkloadDetail, range: RangeSearch, each: boolean) {
  return useQuery({
    queryKey: ["curves", "workload", workload.id, range, each, workload.ended_at ?? null],
    queryFn: async ({ signal }): Promise<{ curves: Curves; asked: CurvesAsked }> => {
      const asked = askedOf(workload, range, each, Date.now());
      const curves = await answered(
        api.GET("/api/v1/workloads/{workload_id}/curves", {
          params: {
            path: { workload_id: workload.id },
            query: {
              since: new Date(asked.fromMs).toISOString(),
              until: new Date(asked.toMs).toISOString(),
              each,
            },
          },
          signal,
        }),
      );
      return { curves, asked };
    },
    enabled: workload.started_at != null,
    // Only while it runs and somebody looks; a hidden tab asks nothing.
    refetchInterval: isEnded(workload.state) ? false : REREAD_MS,
    placeholderData: keepPreviousData,
    staleTime: REREAD_MS / 2,
  });
}

type Series = Curves["series"][number];

export function seriesOf(series: Series | undefined, word: string): ChartSeries[] {
  return (series?.lines ?? []).map(({ rank, device, points }) => ({
    id: rank != null ? String(rank) : (device ?? "all"),
    name: rank != null ? `${word} ${rank}` : (device ?? "All together"),
    points: points.map(({ at, mean, low, high }) => ({
      at: Date.parse(at),
      value: mean,
      low,
      high,
    })),
  }));
}

/** Of the GPUs that were held, the share that was kept busy, as a mean; null if it was not measured. */
export function busyShare({ series }: Curves): number | null {
  const busy = series.find(({ quantity }) => quantity === "gpu_busy");
  const points = busy?.lines[0]?.points ?? [];
  if (!busy?.limit || points.length === 0) return null;
  const mean = points.reduce((sum, point) => sum + point.mean, 0) / points.length;
  return Math.min(1, mean / busy.limit);
}

export function highest({ series }: Curves, quantity: Series["quantity"]): number {
  const points = series.find((each) => each.quantity === quantity)?.lines[0]?.points ?? [];
  return points.reduce((most, { high }) => Math.max(most, high), 0);
}
