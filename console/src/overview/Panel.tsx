/** One part of the overview: a titled box that keeps its size. */
import { type ReactNode, useId } from "react";
import classes from "./overview.module.css";

interface Props {
  area: string;
  title: ReactNode;
  /** Stands at the right of the title. */
  aside?: ReactNode;
  children: ReactNode;
}

export function Panel({ area, title, aside, children }: Props) {
  const titleId = useId();
  return (
    <section className={classes.panel} aria-labelledby={titleId} style={{ gridArea: area }}>
      <header className={classes.panelHead}>
        <h2 id={titleId} className={classes.panelTitle}>
          {title}
        </h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** Bars in place of rows that are still to come. */
export function Blanks({ rows, label }: { rows: number; label: string }) {
  return (
    <div role="status" aria-label={`Loading ${label}`} className={classes.rows}>
      {widths.slice(0, rows).map((width) => (
        <div key={width} className={classes.blankRow}>
          <span className={classes.blank} style={{ width: `${width}%` }} />
        </div>
      ))}
    </div>
  );
}

const widths = [72, 58, 66, 49, 61, 54];

/** In place of rows where there are none: what that means. */
export function Nothing({ children }: { children: ReactNode }) {
  return <p className={classes.nothing}>{children}</p>;
}
