/** What stands where a page broke: the rest of the console goes on, and the page can be tried again. */
import { Button } from "@mantine/core";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { ProblemError, UnreachableError } from "../api/problem";
import { useStreamStatus } from "../stream/status";
import { Copyable } from "./Copyable";
import { FailureState } from "./FailureState";
import classes from "./frame.module.css";

export function PageFailure({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  if (isChunkLost(error)) return <Missing />;
  if (error instanceof ProblemError || error instanceof UnreachableError) {
    return <FailureState error={error} onRetry={retry} />;
  }
  return (
    <div className={classes.state} role="alert">
      <h2 className={classes.stateTitle}>This page stopped working</h2>
      <p className={classes.stateSentence}>
        Nothing on the server changed by it. Try again; if it comes back, pass on what is below.
      </p>
      <Button variant="default" onClick={retry}>
        Try again
      </Button>
      <Copyable text={error instanceof Error ? error.message || error.name : String(error)} />
    </div>
  );
}

/** The pages of another version are gone from the server, or the server itself is. */
function Missing() {
  const { phase } = useStreamStatus();
  const wasLost = useRef(phase !== "live");
  const isBack = wasLost.current && phase === "live";
  // Nothing is on the page that could be lost by it.
  useEffect(() => {
    if (isBack) window.location.reload();
  }, [isBack]);
  if (wasLost.current) {
    return (
      <div className={classes.state} role="alert">
        <h2 className={classes.stateTitle}>This page is not here yet</h2>
        <p className={classes.stateSentence}>
          It was not opened before, and the server cannot be reached to load it. It opens by itself
          when the server answers.
        </p>
      </div>
    );
  }
  return (
    <div className={classes.state} role="alert">
      <h2 className={classes.stateTitle}>The console was updated</h2>
      <p className={classes.stateSentence}>
        This page belongs to a version that the server no longer has. Load the console again; you
        stay at this address.
      </p>
      <Button onClick={() => window.location.reload()}>Load again</Button>
    </div>
  );
}

/** Each browser has words of its own for it. */
export function isChunkLost(error: unknown): boolean {
  return (
    error instanceof Error &&
    /dynamically imported module|Importing a module script failed|preload CSS/i.test(error.message)
  );
}
