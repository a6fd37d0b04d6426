/** What somebody without any role sees at every address: who they are, and whom to ask. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Copyable } from "../frame/Copyable";
import { useTitle } from "../frame/title";
import { Card } from "./Card";
import { useIdentity, useLetInWait, useSignOut } from "./queries";
import classes from "./session.module.css";

export function NotLetIn() {
  useTitle("Nobody has let you in yet");
  const { username, display_name } = useIdentity();
  const again = useLetInWait();
  const signOut = useSignOut();
  return (
    <Card
      title="Nobody has let you in yet"
      lead={`You are signed in as ${display_name || username}, and have no role in any project. Until somebody gives you one, there is nothing to see here.`}
    >
      <div className={classes.form}>
        <p className={classes.ask}>
          Ask the lead of the project that you work for, or an administrator. They need to know your
          username: <Copyable text={username} />
        </p>
        <Button size="sm" fullWidth loading={again.isFetching} onClick={() => again.refetch()}>
          Look again
        </Button>
        <div className={classes.ways}>
          <Link to="/account">Your account</Link>
          <button type="button" onClick={() => signOut.mutate()}>
            Sign out
          </button>
        </div>
      </div>
    </Card>
  );
}
