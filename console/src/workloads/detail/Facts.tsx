/** The facts of a workload. Beside the list they are folded away, for the evidence needs the room. */
import { useLocalStorage } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { WorkloadDetail } from "../../api/types";
import { Copyable } from "../../frame/Copyable";
import { ChevronIcon } from "../../frame/icons";
import { Duration, Moment, RelativeTime } from "../../time/Times";
import { durationInWords } from "../../time/words";
import { askedInWords, isGrouped } from "../asked";
import { ReplicaProgress } from "../ReplicaProgress";
import { capitalised } from "../state";
import classes from "./detail.module.css";

export function Facts({ workload, folds }: { workload: WorkloadDetail; folds: boolean }) {
  const [open, setOpen] = useLocalStorage({ key: "podium-facts", defaultValue: false });
  if (!folds) return <FactList workload={workload} />;
  return (
    <details
      className={classes.folded}
      open={open}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        <ChevronIcon /> Details
        <span className={classes.gist}>{gistOf(workload)}</span>
      </summary>
      <FactList workload={workload} />
    </details>
  );
}

/** vision · ana · 4 × (2 × H100 · 4 CPU) */
function gistOf(workload: WorkloadDetail): string {
  return [workload.project, workload.owner, askedInWords(workload)].join(" · ");
}

function FactList({ workload }: { workload: WorkloadDetail }) {
  const { deadline, max_runtime_seconds, labels, depends_on } = workload;
  return (
    <dl className={classes.facts}>
      <Fact name="Id" wide>
        <Copyable text={workload.id} />
      </Fact>
      {isGrouped(workload) ? (
        <Fact name="Groups" wide>
          <GroupList workload={workload} />
        </Fact>
      ) : (
        <Fact name={workload.array ? "Each task" : "Each replica"} wide>
          {workload.resources.text}
        </Fact>
      )}
      <Fact name="Project">
        <Link
          to="/workloads"
          search={{ project: [workload.project] } as never}
          className={classes.plainLink}
        >
          {workload.project}
        </Link>
      </Fact>
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
      {workload.saved_at && (
        <Fact name="Last saved">
          <RelativeTime at={workload.saved_at} />
        </Fact>
      )}
      {max_runtime_seconds != null && (
        <Fact name="Time limit">{durationInWords(max_runtime_seconds)}</Fact>
      )}
      {deadline && (
        <Fact name="Deadline">
          <Moment at={deadline} />
        </Fact>
      )}
      {workload.attempt > 1 && (
        <Fact name="Attempt">
          {workload.attempt} of {Math.max(workload.retries + 1, workload.attempt)}
        </Fact>
      )}
      {(depends_on ?? []).length > 0 && (
        <Fact name="Depends on" wide>
          {(depends_on ?? []).map((id) => (
            <Link key={id} to="/workloads/$id" params={{ id }} className={classes.plainLink}>
              <code>{id}</code>{" "}
            </Link>
          ))}
        </Fact>
      )}
      {Object.keys(labels ?? {}).length > 0 && (
        <Fact name="Labels" wide>
          <span className={classes.labels}>
            {Object.entries(labels ?? {}).map(([name, value]) => (
              <Link
                key={name}
                to="/workloads"
                search={{ label: [`${name}=${value}`] } as never}
                className={classes.label}
              >
                {name}={value}
              </Link>
            ))}
          </span>
        </Fact>
      )}
    </dl>
  );
}

/** How many of each there are, what each of its replicas asks for, and what they are doing. */
function GroupList({ workload }: { workload: WorkloadDetail }) {
  return (
    <ul className={classes.groups}>
      {(workload.groups ?? []).map(({ name, replicas, resources }) => {
        const counts = workload.group_states?.[name];
        return (
          <li key={name}>
            <strong>{name}</strong>
            <span className={classes.groupAsks}>
              {replicas > 1
                ? `${replicas.toLocaleString("en")} × (${resources.text})`
                : resources.text}
            </span>
            {counts && <ReplicaProgress counts={counts} state={workload.state} />}
          </li>
        );
      })}
    </ul>
  );
}

function RunTime({ workload: { started_at, ended_at } }: { workload: WorkloadDetail }) {
  if (!started_at) return null;
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
