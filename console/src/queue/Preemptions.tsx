/** Who had to give way lately: to whom, why, and what it cost. */
import type { QueuePlan } from "../api/types";
import { GaveWayRows } from "../foresight/GaveWayRows";
import type { Preempted } from "./plan";
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
        <GaveWayRows
          aria-label="Work that gave way lately"
          rows={shown}
          keyOf={(each) => `${each.at} ${each.workload?.id} ${each.in_favour_of?.id}`}
          partOf={replicasInWords}
          unknown="work of others"
        />
      )}
    </Section>
  );
}

function replicasInWords({ replicas }: Preempted): string {
  return replicas > 1 ? `${replicas.toLocaleString("en")} replicas` : "";
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
