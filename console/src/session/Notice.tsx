/** Says in a box of its own what did not work, or what to know, before one goes on. */
import type { ReactNode } from "react";
import { WarningIcon } from "../frame/icons";
import classes from "./session.module.css";

interface Props {
  tone: "warning" | "failed";
  children: ReactNode;
}

export function Notice({ tone, children }: Props) {
  return (
    <div className={classes.notice} data-tone={tone} role="alert">
      <WarningIcon />
      <p>{children}</p>
    </div>
  );
}
