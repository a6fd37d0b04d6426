/** A part of a page: its title with a count, a sentence, and what can be done at the right. */
import { type ReactNode, useId } from "react";
import classes from "./access.module.css";

interface Props {
  title: string;
  count?: number | undefined;
  sentence?: ReactNode;
  aside?: ReactNode;
  /** It stands on the page itself, below no other heading. */
  top?: boolean;
  children: ReactNode;
}

export function Part({ title, count, sentence, aside, top = false, children }: Props) {
  const id = useId();
  const Heading = top ? "h2" : "h3";
  return (
    <section className={classes.part} aria-labelledby={id}>
      <header className={classes.partHead}>
        <div>
          <Heading id={id}>
            {title} {count !== undefined && <span>{count.toLocaleString("en")}</span>}
          </Heading>
          {sentence && <p>{sentence}</p>}
        </div>
        {aside}
      </header>
      {children}
    </section>
  );
}
