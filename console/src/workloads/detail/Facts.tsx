/** The facts of a workload, two columns where there is room. */
import type { ReactNode } from "react";
import type { WorkloadDetail } from "../../api/types";
import { bytesInWords, gpuHoursInWords } from "../../quantity/words";
import { Duration, RelativeTime } from "../../time/Times";
import { ReplicaProgress } from "../ReplicaProgress";
import { capitalised } from "../state";
import classes from "./detail.module.css";

export function Facts({ workload }: { workload: WorkloadDetail }) {
  const { usage } = workload;
  return (
    <dl className={classes.facts}>
      <Fact name="Each replica" wide>
        {workload.resources.text}
      </Fact>
      <Fact name="Project">{workload.project}</Fact>
      <Fact name="Owner">{workload.owner}</Fact>
      <Fact name="Kind">{capitalised(workload.kind)}</Fact>
      <Fact name="Priority">{workload.priority}</Fact>
      <Fact name={workload.array ? "Tasks" : "Replicas"}>
        <ReplicaProgress counts={workload.replicas} state={workload.state} />
      </Fact>
      <Fact name="Submitted">
        <RelativeTime at={workload.submitted_at} />
      </Fact>
      <Fact name="Ran for">
        {workload.started_at ? (
          <Duration start={workload.started_at} end={workload.ended_at} />
        ) : (
          "Not started"
        )}
      </Fact>
      <Fact name="Used">
        {usage.gpu_seconds > 0
          ? gpuHoursInWords(usage.gpu_seconds)
          : `${Math.round(usage.cpu_seconds_used)} CPU-seconds`}
      </Fact>
      <Fact name="Peak memory">
        {usage.memory_peak_bytes > 0 ? bytesInWords(usage.memory_peak_bytes) : "Not measured yet"}
      </Fact>
      {workload.attempt > 1 && (
        <Fact name="Attempt">
          {workload.attempt} of {Math.max(workload.retries + 1, workload.attempt)}
        </Fact>
      )}
    </dl>
  );
}

function Fact({ name, wide, children }: { name: string; wide?: boolean; children: ReactNode }) {
  return (
    <div className={classes.fact} data-wide={wide || undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
