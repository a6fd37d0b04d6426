/** How what is asked for compares with what is free now. */
import { useMemo } from "react";
import { CheckIcon, WarningIcon } from "../frame/icons";
import { askOf, fitOf, groupFits } from "./fit";
import { useForm } from "./form";
import { useAllNodes } from "./queries";
import { isSetAt } from "./specText";
import classes from "./submit.module.css";

export function FitBox() {
  const { document, resolved } = useForm();
  const { data: nodes, isError } = useAllNodes();
  const ask = useMemo(() => askOf(document), [document]);
  const grouped = isSetAt(document, ["groups"]);
  const fits = useMemo(() => {
    if (!nodes) return [];
    return grouped ? groupFits(nodes, resolved) : fitOf(ask, nodes, resolved);
  }, [ask, grouped, nodes, resolved]);
  return (
    <section className={classes.fit} aria-label="How it fits now">
      <h3 className={classes.fitTitle}>How it fits now</h3>
      {!nodes && (
        <p className={classes.hint}>
          {isError ? "The nodes could not be read." : "Looking at the nodes."}
        </p>
      )}
      {nodes && fits.length === 0 && (
        <p className={classes.hint}>Said as soon as the GPUs that it needs can be read.</p>
      )}
      <ul>
        {fits.map(({ sentence, short }) => (
          <li key={sentence} data-short={short || undefined}>
            {short ? <WarningIcon /> : <CheckIcon />}
            {sentence}
          </li>
        ))}
      </ul>
      {fits.length > 0 && (
        <p className={classes.hint}>
          What is free now. When it starts depends on the queue and on its priority.
        </p>
      )}
    </section>
  );
}
