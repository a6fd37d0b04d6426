/** Who had to give way lately: to whom, why, and what it cost. */
import { Link } from "@tanstack/react-router";
import type { QueuePlan } from "../api/types";
import { gpuTimeInWords } from "../quantity/words";
import { RelativeTime } from "../time/Times";
import type { Named, Preempted } from "./plan";
import classes from "./queue.module.css";
import { Section } from "./Section";

interface Props {
  plan: QueuePlan;
  project: string | undefined;
}

export function Preemptions({ plan, project }: Props) {
  const shown = plan.preemptions.filter(
    (each) =>
      !project || [each.workload, each.in_favour_of].some((one) => one?.project === project),
  );
  return (
    <Section title="Gave way" count={shown.length > 0 ? String(shown.length) : undefined}>
      {shown.length === 0 ? (
        <p className={classes.nothing}>{nothingInWords(plan, project)}</p>
      ) : (
        <table className={classes.given} aria-label="Work that gave way lately">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Gave way</th>
              <th scope="col">To</th>
              <th scope="col">Why</th>
              <th scope="col" data-number>
                Cost
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((each) => (
              <tr key={`${each.at} ${each.workload?.id} ${each.in_favour_of?.id}`}>
                <td data-column="at">
                  <RelativeTime at={each.at} />
                </td>
                <td data-column="who">
                  <Who named={each.workload} /> <span>{replicasInWords(each)}</span>
                </td>
                <td data-column="to">
                  <span className={classes.to}>to </span>
                  {each.booking == null ? (
                    <Who named={each.in_favour_of} />
                  ) : (
                    <span>{each.booking ? `booking ${each.booking}` : "a booking"}</span>
                  )}
                </td>
                <td data-column="why">{sentence(each.justification)}</td>
                <td data-number data-column="cost" title="GPU time since it was last saved">
                  {each.lost_gpu_seconds > 0 ? gpuTimeInWords(each.lost_gpu_seconds) : "nothing"}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

function Who({ named }: { named: Named | null }) {
  if (!named) return <span>work of others</span>;
  return (
    <>
      <Link to="/workloads/$id" params={{ id: named.id }}>
        {named.name}
      </Link>{" "}
      <span>{named.project}</span>
    </>
  );
}

function sentence(words: string): string {
  return (
    words && `${words.charAt(0).toUpperCase()}${words.slice(1)}${words.endsWith(".") ? "" : "."}`
  );
}

function replicasInWords({ replicas }: Preempted): string {
  return replicas > 1 ? `· ${replicas.toLocaleString("en")} replicas` : "";
}

function nothingInWords({ preempt }: QueuePlan, project: string | undefined): string {
  const nobody = project
    ? `Nothing of ${project} had to give way lately.`
    : "Nobody had to give way lately.";
  const rule = {
    never: "Running work is never stopped for other work.",
    guarantee: "Running work is stopped only for work inside its guarantee.",
    priority:
      "Running work is stopped only for work inside its guarantee, or in the same project for work of higher priority.",
  }[preempt];
  return `${nobody} ${rule}`;
}
