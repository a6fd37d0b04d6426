/** What a server with no work in it shows: the first workload in two clicks, or by two lines. */
import { Button } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMaySubmit } from "../session/queries";
import { Copyable } from "./Copyable";
import { EmptyState } from "./EmptyState";
import classes from "./firstRun.module.css";
import { useHello } from "./hello";

export function FirstRun() {
  return useMaySubmit() ? <Begin /> : <NothingYet />;
}

/** For who can only look, and has nothing to look at. */
function NothingYet() {
  return (
    <EmptyState
      title="Nothing to see yet"
      sentence="Work is shown of the projects that you are in, and submitted to them. A lead of a project, or an administrator, can take you into one."
    />
  );
}

function Begin() {
  const navigate = useNavigate();
  const hello = useHello();

  function run() {
    // A list may hear of the workload first and take the place of this page.
    hello.mutateAsync().then(
      ({ id }) => navigate({ to: "/workloads/$id", params: { id }, search: { tab: "logs" } }),
      () => {},
    );
  }

  return (
    <section className={classes.place} aria-labelledby="first-run">
      <div className={classes.root}>
        <div className={classes.lead}>
          <h2 id="first-run" className={classes.title}>
            Run your first workload
          </h2>
          <p className={classes.sentence}>
            A workload is a command that Podium runs for you where there is room. This one takes one
            GPU for twenty seconds and says hello.
          </p>
          <div className={classes.actions}>
            <Button size="sm" onClick={run} loading={hello.isPending}>
              Run hello-gpu now
            </Button>
            <Button
              size="sm"
              variant="default"
              renderRoot={(props) => <Link to="/submit" search={{ example: "hello" }} {...props} />}
            >
              Begin in the form
            </Button>
          </div>
          {hello.isError && (
            <p className={classes.failure} role="alert">
              {hello.error.message}
            </p>
          )}
        </div>
        <div className={classes.terminal}>
          <h3 className={classes.subtitle}>Or from a terminal</h3>
          <ol className={classes.steps}>
            <li>
              <span>Sign in once</span>
              <Copyable text={`podium login ${window.location.origin}`} block />
            </li>
            <li>
              <span>Run a command on one GPU</span>
              <Copyable text="podium run --gpus 1 -- python train.py" block />
            </li>
            <li>
              <span>See what runs and what waits</span>
              <Copyable text="podium ls" block />
            </li>
          </ol>
        </div>
      </div>
    </section>
  );
}
