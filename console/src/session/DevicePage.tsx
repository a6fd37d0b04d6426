/** A command line asks to be let in as me: which one, and a click of mine that lets it. */
import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTitle } from "../frame/title";
import { RelativeTime } from "../time/Times";
import { Card } from "./Card";
import { Notice } from "./Notice";
import classes from "./session.module.css";
import { useDeviceCode, useDeviceDecision } from "./signIns";

/** The address that command lines show; it stands apart from the rooms. */
export const DEVICE_PATH = "/device";
const CODE = /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/;

/** As the command line shows it, however it was typed. */
function written(code: string): string {
  const letters = code.toUpperCase().replace(/[^A-Z]/g, "");
  return letters.length > 4 ? `${letters.slice(0, 4)}-${letters.slice(4)}` : letters;
}

export function DevicePage({ username }: { username: string }) {
  useTitle("Let a command line in");
  const [code, setCode] = useState(() =>
    written(new URLSearchParams(window.location.search).get("code") ?? ""),
  );
  return CODE.test(code) ? (
    <Asked code={code} username={username} onOther={() => setCode("")} />
  ) : (
    <CodeForm given={code} onCode={setCode} />
  );
}

function CodeForm({ given, onCode }: { given: string; onCode: (code: string) => void }) {
  const [fault, setFault] = useState(given !== "");

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const typed = written(String(new FormData(event.currentTarget).get("code")));
    setFault(!CODE.test(typed));
    if (CODE.test(typed)) onCode(typed);
  }

  return (
    <Card title="Let a command line in" lead="Type the code that podium login shows.">
      <form className={classes.form} onSubmit={submit} noValidate>
        <TextInput
          label="Code"
          name="code"
          placeholder="XXXX-XXXX"
          defaultValue={given}
          maxLength={12}
          autoComplete="off"
          spellCheck={false}
          error={fault && "Eight letters, such as BCDF-GHJK."}
          classNames={{ input: classes.code ?? "" }}
          autoFocus
        />
        <Button type="submit" size="sm" fullWidth>
          Go on
        </Button>
      </form>
    </Card>
  );
}

interface AskedProps {
  code: string;
  username: string;
  onOther: () => void;
}

function Asked({ code, username, onOther }: AskedProps) {
  const asked = useDeviceCode(code);
  const decision = useDeviceDecision(code);

  if (decision.isSuccess) {
    return decision.variables ? (
      <Done title="It is let in" sentence="Go back to the command line; it goes on by itself." />
    ) : (
      <Done title="It is turned away" sentence="The command line got nothing." />
    );
  }
  if (asked.isError) {
    return (
      <Card title="Let a command line in" lead={`With the code ${code}.`}>
        <div className={classes.form}>
          <Notice tone="failed">{asked.error.message}</Notice>
          <Button variant="default" size="sm" onClick={onOther} fullWidth>
            Type another code
          </Button>
        </div>
      </Card>
    );
  }
  if (!asked.data) return null;
  return (
    <Card
      title="Let a command line in?"
      lead={`It signs in as ${username}, and may do all that you may, until you sign it out.`}
    >
      <dl className={classes.facts}>
        <dt>Code</dt>
        <dd className={classes.code}>{code}</dd>
        <dt>Says it is</dt>
        <dd>{asked.data.client_name}</dd>
        <dt>Asks from</dt>
        <dd>{asked.data.source || "this machine"}</dd>
        <dt>Asked</dt>
        <dd>
          <RelativeTime at={asked.data.asked_at} />
        </dd>
      </dl>
      <div className={classes.form}>
        <Notice tone="warning">
          Only let it in if you started it yourself just now, and it shows this code.
        </Notice>
        {decision.isError && <Notice tone="failed">{decision.error.message}</Notice>}
        <Button
          size="sm"
          loading={decision.isPending && decision.variables}
          onClick={() => decision.mutate(true)}
          fullWidth
        >
          Let it in
        </Button>
        <Button
          variant="default"
          size="sm"
          loading={decision.isPending && !decision.variables}
          onClick={() => decision.mutate(false)}
          fullWidth
        >
          Turn it away
        </Button>
      </div>
    </Card>
  );
}

function Done({ title, sentence }: { title: string; sentence: string }) {
  return (
    <Card title={title} lead={sentence}>
      <div className={classes.form} role="status">
        <Button component="a" href="/" variant="default" size="sm" fullWidth>
          Go to the console
        </Button>
      </div>
    </Card>
  );
}
