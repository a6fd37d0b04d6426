/** The facts of a workload: two columns where there is room, folded away where there is little. */
import { useMediaQuery } from "@mantine/hooks";
import type { ReactNode } from "react";
import type { WorkloadDetail } from "../../api/types";
import { ChevronIcon } from "../../frame/icons";
import { bytesInWords, cpuTimeInWords, gpuTimeInWords } from "../../quantity/words";
import { Duration, RelativeTime } from "../../time/Times";
import { ReplicaProgress } from "../ReplicaProgress";
import { capitalised, isEnded } from "../state";
import classes from "./detail.module.css";

export function Facts({ workload }: { workload: WorkloadDetail }) {
  const narrow = useMediaQuery("(max-width: 640px)");
  if (!narrow) return <FactList workload={workload} />;
  return (
    <details className={classes.folded}>
      <summary>
        <ChevronIcon /> Details
      </summary>
      <FactList workload={workload} />
    </details>
  );
}

function FactList({ workload }: { workload: WorkloadDetail }) {
  const { usage } = workload;
  return (
    <dl className={classes.facts}>
      <Fact name={workload.array ? "Each task" : "Each replica"} wide>
        {workload.resources.text}
      </Fact>
      <Fact name="Project">{workload.project}</Fact>
      <Fact name="Owner">{workload.owner}</Fact>
      <Fact name="Kind">{capitalised(workload.kind)}</Fact>
      <Fact name="Priority">{workload.priority}</Fact>
      {/* Of an array that began, the bar above says this already. */}
      {(!workload.array || workload.state === "queued") && (
        <Fact name={workload.array ? "Tasks" : "Replicas"}>
          <ReplicaProgress counts={workload.replicas} state={workload.state} />
        </Fact>
      )}
      <Fact name="Submitted">
        <RelativeTime at={workload.submitted_at} />
      </Fact>
      <RunTime workload={workload} />
      <Fact name="Used">{usedInWords(workload)}</Fact>
      <Fact name="Peak memory">
        {usage.memory_peak_bytes > 0 ? bytesInWords(usage.memory_peak_bytes) : "Not measured"}
      </Fact>
      {workload.attempt > 1 && (
        <Fact name="Attempt">
          {workload.attempt} of {Math.max(workload.retries + 1, workload.attempt)}
        </Fact>
      )}
    </dl>
  );
}

function usedInWords({ usage, started_at, state }: WorkloadDetail): string {
  if (usage.gpu_seconds > 0) return capitalised(gpuTimeInWords(usage.gpu_seconds));
  if (!started_at && usage.cpu_seconds_used === 0)
    return isEnded(state) ? "Nothing" : "Nothing yet";
  return capitalised(cpuTimeInWords(usage.cpu_seconds_used));
}

function RunTime({ workload: { state, started_at, ended_at } }: { workload: WorkloadDetail }) {
  if (!started_at) {
    // One that ended before it was seen to run may have run, for a moment.
    return isEnded(state) ? null : <Fact name="Running for">Not started</Fact>;
  }
  return (
    <Fact name={ended_at ? "Ran for" : "Running for"}>
      <Duration start={started_at} end={ended_at} />
    </Fact>
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
