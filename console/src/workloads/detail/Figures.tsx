/** What it cost and used so far, and how well it used what it held. */
import type { ReactNode } from "react";
import type { WorkloadDetail } from "../../api/types";
import { bytesInWords, cpuTimeInWords, gpuTimeInWords } from "../../quantity/words";
import { durationInWords } from "../../time/words";
import { capitalised, isEnded } from "../state";
import { busyShare, highest, useCurves } from "./curves";
import classes from "./detail.module.css";
import { costInWords, shareInWords } from "./money";

export function Figures({ workload }: { workload: WorkloadDetail }) {
  const { usage, started_at, state } = workload;
  const withGpus = usage.gpu_seconds > 0 || workload.resources.gpu_milli > 0;
  const curves = useCurves(workload, {}, false);
  // What never ran has used nothing, and its sentence says so.
  if (!started_at && usage.gpu_seconds === 0 && usage.cpu_seconds_used === 0) return null;
  const { cost } = usage;
  const types = typesOf(workload);
  const busy = curves.data ? busyShare(curves.data.curves) : null;
  // The system's own count comes with the end; until then the curve knows.
  const peak = usage.memory_peak_bytes;
  const peakBytes = peak > 0 ? peak : curves.data ? highest(curves.data.curves, "memory") : 0;
  const cpu =
    usage.cpu_seconds_allocated > 0 ? usage.cpu_seconds_used / usage.cpu_seconds_allocated : null;
  return (
    <dl className={classes.figures}>
      {withGpus && (
        <>
          <Figure name={isEnded(state) ? "Cost" : "Cost so far"} quiet={!cost}>
            {cost ? costInWords(cost) : `No price set${types ? ` for ${types}` : ""}`}
          </Figure>
          <Figure name="GPU time" hint={`${durationInWords(usage.gpu_seconds)} of one GPU`}>
            {capitalised(gpuTimeInWords(usage.gpu_seconds))}
          </Figure>
          <Figure
            name="GPUs busy"
            quiet={busy === null}
            hint="The mean share of the GPUs it held that was really used."
          >
            {busy === null ? "Not measured" : shareInWords(busy)}
          </Figure>
        </>
      )}
      {!withGpus && (
        <>
          <Figure name="CPU time" hint={capitalised(cpuTimeInWords(usage.cpu_seconds_used))}>
            {durationInWords(usage.cpu_seconds_used)}
          </Figure>
          <Figure
            name="CPU busy"
            quiet={cpu === null || usage.cpu_seconds_used === 0}
            hint="The share of the CPU it asked for that was really used. It may use more where there is room."
          >
            {cpu === null || usage.cpu_seconds_used === 0 ? "Not measured" : shareInWords(cpu)}
          </Figure>
        </>
      )}
      <Figure
        name="Peak memory"
        quiet={peakBytes === 0}
        hint={peak > 0 ? "Of the replica that used most." : "Of all replicas together, so far."}
      >
        {peakBytes > 0 ? bytesInWords(peakBytes) : "Not measured"}
      </Figure>
    </dl>
  );
}

interface FigureProps {
  name: string;
  hint?: string;
  /** There is no figure to show. */
  quiet?: boolean;
  children: ReactNode;
}

function Figure({ name, hint, quiet, children }: FigureProps) {
  return (
    <div className={classes.figure} title={hint}>
      <dt>{name}</dt>
      <dd data-quiet={quiet || undefined}>{children}</dd>
    </div>
  );
}

function typesOf({ replica_list, resources }: WorkloadDetail): string {
  const held = replica_list.flatMap(({ devices }) => (devices ?? []).map(({ type }) => type));
  const types = [...new Set(held.length > 0 ? held : (resources.gpu_types ?? []))].filter(Boolean);
  return new Intl.ListFormat("en").format(types);
}
