/** A part of the account: what it is about at the left, its contents at the right. */
import { type ReactNode, useId } from "react";
import classes from "./account.module.css";

interface Props {
  title: string;
  sentence: string;
  children: ReactNode;
}

export function Section({ title, sentence, children }: Props) {
  const id = useId();
  return (
    <section className={classes.section} aria-labelledby={id}>
      <div>
        <h2 id={id} className={classes.title}>
          {title}
        </h2>
        <p className={classes.sentence}>{sentence}</p>
      </div>
      <div className={classes.body}>{children}</div>
    </section>
  );
}
