/** The card in the middle of an otherwise empty page, for sign-in and its like. */
import type { ReactNode } from "react";
import { Mark } from "../frame/icons";
import { Cells } from "./Cells";
import classes from "./session.module.css";

export function Card({
  title,
  lead,
  children,
}: {
  title: string;
  lead: string;
  children: ReactNode;
}) {
  return (
    <main className={classes.page}>
      <Cells />
      <div className={classes.card}>
        <span className={classes.brand}>
          <Mark size={28} /> Podium
        </span>
        <h1 className={classes.title}>{title}</h1>
        <p className={classes.lead}>{lead}</p>
        {children}
      </div>
    </main>
  );
}
