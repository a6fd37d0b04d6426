/** Makes a token: name and how long it is good for, then its secret, which is shown once. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { faultAt } from "../api/problem";
import { Copyable } from "../frame/Copyable";
import { Notice } from "../session/Notice";
import classes from "./account.module.css";
import { useTokenCreate } from "./queries";

const lifetimes = [
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "1 year" },
  { value: "never", label: "No end" },
];

export function TokenForm({ onDone }: { onDone: () => void }) {
  const create = useTokenCreate();
  const [fault, setFault] = useState<string | null>(null);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const name = String(given.get("name")).trim();
    const lifetime = String(given.get("lifetime"));
    setFault(name ? null : "Name it after what will use it.");
    if (!name) return;
    create.mutate({ name, expires_in_days: lifetime === "never" ? null : Number(lifetime) });
  }

  if (create.data) {
    return <Secret name={create.data.name} token={create.data.token} onDone={onDone} />;
  }
  const nameFault = fault ?? faultAt(create.error, "name");
  return (
    <form className={classes.tokenForm} onSubmit={submit} noValidate aria-label="New token">
      <TextInput
        label="Name"
        name="name"
        placeholder="nightly evaluation"
        maxLength={100}
        error={nameFault}
        autoFocus
      />
      <NativeSelect label="Good for" name="lifetime" data={lifetimes} defaultValue="90" />
      <div className={classes.tokenActions}>
        <Button type="submit" loading={create.isPending}>
          Create token
        </Button>
        <Button variant="default" onClick={onDone}>
          Leave it
        </Button>
      </div>
      {create.isError && !nameFault && <Notice tone="failed">{create.error.message}</Notice>}
    </form>
  );
}

function Secret({ name, token, onDone }: { name: string; token: string; onDone: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <div ref={box} tabIndex={-1} className={classes.secret} role="status">
      <p>
        <strong>{name}</strong> is made. Copy it now: it is not shown again.
      </p>
      <Copyable text={token} block />
      <div>
        <Button variant="default" onClick={onDone}>
          I have it
        </Button>
      </div>
    </div>
  );
}
