/** A part of a long form or page: what it is about at the left, and the fields at the right. */
import { type ReactNode, useId } from "react";
import classes from "./field.module.css";

interface Props {
  title: string;
  sentence?: ReactNode;
  children: ReactNode;
}

export function FieldGroup({ title, sentence, children }: Props) {
  const id = useId();
  return (
    <section className={classes.group} aria-labelledby={id}>
      <div>
        <h3 id={id}>{title}</h3>
        {sentence && <p>{sentence}</p>}
      </div>
      <div className={classes.fields}>{children}</div>
    </section>
  );
}

/** Names and values, one below the other. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className={classes.facts}>{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
