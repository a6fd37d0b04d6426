/** One part of the page: its title with a count, and what belongs at its right. */
import { type ReactNode, useId } from "react";
import classes from "./queue.module.css";

interface Props {
  title: string;
  count?: string | undefined;
  aside?: ReactNode;
  children: ReactNode;
}

export function Section({ title, count, aside, children }: Props) {
  const id = useId();
  return (
    <section className={classes.section} aria-labelledby={id}>
      <header className={classes.sectionHead}>
        <h2 id={id}>
          {title} {count && <span>{count}</span>}
        </h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
