/** What kind of work it is, as cards that say what each is for. */
import type { Kind } from "../api/types";
import { faultOf, fieldId, useForm } from "./form";
import { InYaml } from "./InYaml";
import { textAt } from "./specText";
import classes from "./submit.module.css";

const kinds: readonly { kind: Kind; title: string; sentence: string }[] = [
  { kind: "training", title: "Training", sentence: "Long runs on many GPUs" },
  { kind: "batch", title: "Batch", sentence: "Can wait until there is room" },
  { kind: "evaluation", title: "Evaluation", sentence: "Short runs that measure" },
  { kind: "service", title: "Service", sentence: "Answers requests" },
  { kind: "workspace", title: "Workspace", sentence: "A notebook to work in" },
];

export function KindField() {
  const form = useForm();
  const written = textAt(form.document, ["kind"]);
  if (written === null) return <InYaml field="kind" label="Kind" />;
  const chosen = written || "batch";
  const fault = faultOf(form, "kind");
  return (
    <fieldset className={classes.kinds} id={fieldId("kind")} tabIndex={-1}>
      <legend className={classes.label}>Kind</legend>
      {kinds.map(({ kind, title, sentence }) => (
        <label key={kind} className={classes.kind}>
          <input
            type="radio"
            name="kind"
            value={kind}
            checked={chosen === kind}
            onChange={() => form.set(["kind"], kind)}
          />
          <span className={classes.kindTitle}>{title}</span>
          <span className={classes.kindSentence}>{sentence}</span>
        </label>
      ))}
      {fault && <p className={classes.fault}>{fault}</p>}
    </fieldset>
  );
}
