/** One part of the page: its title with a count, and what is in it. */
import { type ReactNode, useId } from "react";
import classes from "./scheduler.module.css";

interface Props {
  title: string;
  count?: string | undefined;
  children: ReactNode;
}

export function Section({ title, count, children }: Props) {
  const id = useId();
  return (
    <section className={classes.section} aria-labelledby={id}>
      <h2 id={id} className={classes.heading}>
        {title} {count && <span>{count}</span>}
      </h2>
      {children}
    </section>
  );
}
