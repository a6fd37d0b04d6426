/** One shape for each state, so that no one needs the hue to tell them apart. */
import type { ReactNode } from "react";
import { shownState } from "./state";
import classes from "./state.module.css";

const clock = (
  <>
    <circle cx="7" cy="7" r="5.25" />
    <path d="M7 4v3l2 1.5" />
  </>
);

const shapes: Record<string, ReactNode> = {
  queued: clock,
  waiting: clock,
  scheduled: (
    <>
      <circle cx="7" cy="7" r="5.25" strokeDasharray="2.2 2" />
      <circle cx="7" cy="7" r="1.25" fill="currentColor" stroke="none" />
    </>
  ),
  starting: (
    <>
      <circle cx="7" cy="7" r="5.25" strokeDasharray="2.2 2" />
      <path d="M5.75 4.75v4.5L9.25 7Z" fill="currentColor" stroke="none" />
    </>
  ),
  running: (
    <>
      <circle cx="7" cy="7" r="6" fill="currentColor" stroke="none" />
      <path d="M5.5 4.25v5.5L10 7Z" fill="var(--surface)" stroke="none" />
    </>
  ),
  stopping: (
    <>
      <circle cx="7" cy="7" r="5.25" strokeDasharray="2.2 2" />
      <path d="M5.25 5.25h3.5v3.5h-3.5z" fill="currentColor" stroke="none" />
    </>
  ),
  succeeded: (
    <>
      <circle cx="7" cy="7" r="5.25" />
      <path d="m4.75 7.25 1.6 1.6 3-3.4" />
    </>
  ),
  failed: (
    <>
      <path
        d="M4.6 1.25h4.8l3.35 3.35v4.8L9.4 12.75H4.6L1.25 9.4V4.6Z"
        fill="currentColor"
        stroke="none"
      />
      <path d="m5.1 5.1 3.8 3.8m0-3.8L5.1 8.9" stroke="var(--surface)" />
    </>
  ),
  cancelled: (
    <>
      <circle cx="7" cy="7" r="5.25" />
      <path d="m3.6 10.4 6.8-6.8" />
    </>
  ),
};

export function StateIcon({ state }: { state: string }) {
  return (
    <svg
      aria-hidden="true"
      className={classes.icon}
      width="14"
      height="14"
      viewBox="0 0 14 14"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {shapes[state]}
    </svg>
  );
}

export function StateBadge({ state }: { state: string }) {
  const { label, tone } = shownState(state);
  return (
    <span className={classes.badge} data-tone={tone}>
      <StateIcon state={state} />
      {label}
    </span>
  );
}
