/** Fields that one seldom needs, folded; what is set in them can be read while they are. */
import type { ReactNode } from "react";
import { useState } from "react";
import { ChevronIcon } from "../frame/icons";
import { counted } from "../quantity/words";
import { isToCome, isWithin } from "./faults";
import { useForm } from "./form";
import classes from "./submit.module.css";

interface Props {
  title: string;
  /** The fields in it, to count what is wrong there. */
  fields: readonly string[];
  /** What is set, shortly; empty when nothing is. */
  summary: string;
  children: ReactNode;
}

export function Group({ title, fields, summary, children }: Props) {
  const form = useForm();
  const [open, setOpen] = useState(false);
  const wrong = form.faults.filter(
    (each) =>
      fields.some((field) => isWithin(each.field, field)) &&
      (!isToCome(each) || form.visited.has(each.field)),
  ).length;
  return (
    <details
      className={classes.group}
      data-fields={fields.join(" ")}
      open={open}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        <ChevronIcon />
        <span className={classes.groupTitle}>{title}</span>
        {wrong > 0 && <span className={classes.groupWrong}>{counted(wrong, "fault")}</span>}
        <span className={classes.groupSummary}>{!open && summary}</span>
      </summary>
      {/* What nobody looks at is not drawn: every key draws the form anew. */}
      {open && <div className={classes.groupFields}>{children}</div>}
    </details>
  );
}
