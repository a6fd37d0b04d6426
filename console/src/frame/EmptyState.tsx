/** A page with nothing in it teaches: one sentence, and one example to copy or one action. */
import type { ReactNode } from "react";
import { Copyable } from "./Copyable";
import classes from "./frame.module.css";

interface Props {
  title: string;
  sentence: string;
  example?: string;
  action?: ReactNode;
}

export function EmptyState({ title, sentence, example, action }: Props) {
  return (
    <div className={classes.state}>
      <h2 className={classes.stateTitle}>{title}</h2>
      <p className={classes.stateSentence}>{sentence}</p>
      {example && <Copyable text={example} block />}
      {action}
    </div>
  );
}
