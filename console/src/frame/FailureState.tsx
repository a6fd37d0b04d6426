/** Says what could not be shown and why, with a way to try again. */
import { Button } from "@mantine/core";
import { ProblemError } from "../api/problem";
import classes from "./frame.module.css";

interface Props {
  error: Error;
  onRetry: () => void;
  page?: boolean;
}

export function FailureState({ error, onRetry, page = false }: Props) {
  const requestId = error instanceof ProblemError ? error.problem.request_id : undefined;
  return (
    <div className={classes.state} data-page={page || undefined} role="alert">
      <h2 className={classes.stateTitle}>{failureTitle(error)}</h2>
      <p className={classes.stateSentence}>{error.message}</p>
      <Button variant="default" onClick={onRetry}>
        Try again
      </Button>
      {requestId && <p className={classes.stateNote}>Request {requestId}</p>}
    </div>
  );
}

function failureTitle(error: Error): string {
  if (!(error instanceof ProblemError)) return "No connection";
  if (error.status === 403) return "Not yours to see";
  if (error.status === 404) return "Not found";
  return "This could not be loaded";
}
