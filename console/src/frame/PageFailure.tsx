/** What stands where a page broke: the rest of the console goes on, and the page can be tried again. */
import { Button } from "@mantine/core";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { ProblemError, UnreachableError } from "../api/problem";
import { Copyable } from "./Copyable";
import { FailureState } from "./FailureState";
import classes from "./frame.module.css";

export function PageFailure({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  if (isChunkLost(error)) return <Upgraded />;
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

/** The pages of another version are gone from the server. */
function Upgraded() {
  return (
    <div className={classes.state} role="alert">
      <h2 className={classes.stateTitle}>The console was updated</h2>
      <p className={classes.stateSentence}>
        This page belongs to a version that the server no longer has, or the server could not be
        reached. Load the console again; you stay at this address.
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
