/** Why it does not run: since when, its place in the queue, what would help, and the facts. */
import type { Refusal } from "../../api/types";
import { Duration } from "../../time/Times";
import { useExplanation } from "../queries";
import classes from "./detail.module.css";

export function Waiting({ id, refusal }: { id: string; refusal: Refusal }) {
  const { data } = useExplanation(id, true);
  const evidence = refusal.evidence ?? [];
  return (
    <section className={classes.waiting} aria-label="Why it waits">
      {refusal.remedy && <p className={classes.remedy}>{refusal.remedy}</p>}
      <dl className={classes.evidence}>
        <dt>For this reason</dt>
        <dd>
          <Duration start={refusal.since} />
        </dd>
        {data?.queue_position != null && (
          <>
            <dt>Place in the queue</dt>
            <dd>
              {data.queue_position}
              {data.queue_length != null && ` of ${data.queue_length}`}
            </dd>
          </>
        )}
        {evidence.map(({ fact, value, subject }) => (
          <Fact key={`${fact} ${subject}`} fact={fact} value={value} subject={subject ?? ""} />
        ))}
      </dl>
    </section>
  );
}

function Fact({ fact, value, subject }: { fact: string; value: string; subject: string }) {
  return (
    <>
      <dt>{factInWords(fact)}</dt>
      <dd>{subject ? `${value} (${subject})` : value}</dd>
    </>
  );
}

const abbreviations: Record<string, string> = { gpu: "GPU", gpus: "GPUs", cpu: "CPU", mig: "MIG" };

/** gpus_free → GPUs free */
export function factInWords(fact: string): string {
  const words = fact.split("_").map((word) => abbreviations[word] ?? word);
  const text = words.join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
