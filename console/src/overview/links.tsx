/** Links from figures to the lists behind them. The project in the address stays. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { WorkloadFilters } from "../workloads/filters";
import classes from "./overview.module.css";

interface LinkProps {
  children: ReactNode;
  label?: string | undefined;
  plain?: boolean;
}

export function WorkloadsLink({ to, children, label, plain }: LinkProps & { to: WorkloadFilters }) {
  return (
    <Link
      to="/workloads"
      search={to}
      className={plain ? classes.plainLink : classes.link}
      aria-label={label}
    >
      {children}
    </Link>
  );
}

interface NodesSearch {
  type?: string;
  show?: "free" | "idle" | "trouble";
}

export function NodesLink({ to, children, label, plain }: LinkProps & { to: NodesSearch }) {
  return (
    <Link
      to="/nodes"
      search={to as Record<string, never>}
      className={plain ? classes.plainLink : classes.link}
      aria-label={label}
    >
      {children}
    </Link>
  );
}

export function QueueLink({ children, label, plain }: LinkProps) {
  return (
    <Link to="/queue" className={plain ? classes.plainLink : classes.link} aria-label={label}>
      {children}
    </Link>
  );
}

/** One workload by its name. */
export function WorkloadLink({ id, children }: { id: string; children: ReactNode }) {
  return (
    <Link to="/workloads/$id" params={{ id }} className={classes.rowName}>
      {children}
    </Link>
  );
}
