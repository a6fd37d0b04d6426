/** A node's state with its own shape and hue. */
import type { ReactNode } from "react";
import type { Node } from "../api/types";
import classes from "./nodes.module.css";

const shown: Record<Node["state"], { label: string; shape: ReactNode; says: string }> = {
  ready: {
    label: "Ready",
    says: "Takes new work.",
    shape: (
      <>
        <circle cx="7" cy="7" r="5.25" />
        <path d="m4.75 7.25 1.6 1.6 3-3.4" />
      </>
    ),
  },
  cordoned: {
    label: "Cordoned",
    says: "Keeps what runs and takes nothing new.",
    shape: (
      <>
        <circle cx="7" cy="7" r="5.25" />
        <path d="M4.5 7h5" />
      </>
    ),
  },
  lost: {
    label: "Lost",
    says: "Has not reported for too long.",
    shape: (
      <>
        <path d="M7 1.75 12.75 12H1.25Z" />
        <path d="M7 5.5v3M7 10.25h.01" />
      </>
    ),
  },
};

export function NodeStateBadge({ state }: { state: Node["state"] }) {
  const { label, shape, says } = shown[state];
  return (
    <span className={classes.state} data-state={state} title={says}>
      <svg
        aria-hidden="true"
        width="14"
        height="14"
        viewBox="0 0 14 14"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      >
        {shape}
      </svg>
      {label}
    </span>
  );
}
