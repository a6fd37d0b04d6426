/** The head of every page: title with count at the left, the live dot at the right. */
import type { ReactNode } from "react";
import { LiveDot } from "../stream/LiveDot";
import classes from "./frame.module.css";
import { useTitle } from "./title";

interface Props {
  title: string;
  count?: string | undefined;
  children?: ReactNode;
}

export function PageHeader({ title, count, children }: Props) {
  useTitle(title);
  return (
    <header className={classes.header}>
      <h1 className={classes.headerTitle}>
        {title} {count !== undefined && <span className={classes.headerCount}>{count}</span>}
      </h1>
      {children}
      <LiveDot />
    </header>
  );
}
