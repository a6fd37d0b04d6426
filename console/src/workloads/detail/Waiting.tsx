/** Why it does not run: since when, its place in the queue, what would help, and the facts. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Refusal, WorkloadDetail } from "../../api/types";
import { Duration } from "../../time/Times";
import { beside } from "../filters";
import { isInProgress } from "../progress";
import { useExplanation, useKnownName } from "../queries";
import classes from "./detail.module.css";
import { fieldsFound } from "./specFields";

const HOLDERS_SHOWN = 8;

export function Waiting({ workload, refusal }: { workload: WorkloadDetail; refusal: Refusal }) {
  const { data } = useExplanation(workload.id, true);
  const evidence = (refusal.evidence ?? []).filter(({ fact }) => !fact.startsWith("holder"));
  const holders = (refusal.evidence ?? []).filter(({ fact }) => fact === "holder");
  return (
    <section className={classes.waiting} aria-label="Why it waits">
      {/* Of what waits as a whole, the sentence above says this already. */}
      {isInProgress(workload) && <p className={classes.reason}>{refusal.message}</p>}
      {refusal.remedy && (
        <p className={classes.remedy}>
          {fieldsFound(refusal.remedy).map(({ at, text, field }) =>
            field ? <code key={at}>{text}</code> : text,
          )}
        </p>
      )}
      <dl className={classes.evidence}>
        <Fact name="Waiting for this">
          <Duration start={refusal.since} />
        </Fact>
        {data?.queue_position != null && (
          <Fact name="Place in the queue">
            {data.queue_position}
            {data.queue_length != null && ` of ${data.queue_length}`}
          </Fact>
        )}
        {evidence.map(({ fact, value, subject }) => (
          <Fact key={`${fact} ${subject}`} name={factInWords(fact)}>
            {subject ? `${value} (${subject})` : value}
          </Fact>
        ))}
        {holders.length > 0 && (
          <Fact name="Used by">
            <ul className={classes.holders}>
              {holders.slice(0, HOLDERS_SHOWN).map(({ value }) => (
                <li key={value}>
                  {value === workload.id ? (
                    "Tasks of its own"
                  ) : (
                    <Link to="/workloads/$id" params={{ id: value }} search={beside}>
                      <Holder id={value} />
                    </Link>
                  )}
                </li>
              ))}
              {holders.length > HOLDERS_SHOWN && <li>{holders.length - HOLDERS_SHOWN} more</li>}
            </ul>
          </Fact>
        )}
      </dl>
    </section>
  );
}

/** The name where a list has it, for an id says little to a reader. */
function Holder({ id }: { id: string }) {
  const name = useKnownName(id);
  return name ? <span title={id}>{name}</span> : <code>{id}</code>;
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

const abbreviations: Record<string, string> = {
  gpu: "GPU",
  gpus: "GPUs",
  cpu: "CPU",
  cpus: "CPUs",
  mig: "MIG",
};

/** gpus_free → GPUs free */
export function factInWords(fact: string): string {
  const words = fact.split("_").map((word) => abbreviations[word] ?? word);
  const text = words.join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
