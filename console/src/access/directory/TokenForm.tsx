/** Makes a token for a directory; its secret is shown once. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { faultAt } from "../../api/problem";
import { Once } from "../../frame/Once";
import { Notice } from "../../session/Notice";
import access from "../access.module.css";
import { useDirectoryTokenCreate } from "./queries";

const lifetimes = [
  { value: "90", label: "90 days" },
  { value: "180", label: "180 days" },
  { value: "365", label: "1 year" },
];

export function TokenForm({ onDone }: { onDone: () => void }) {
  const create = useDirectoryTokenCreate();
  const [account, setAccount] = useState("scim");
  const [days, setDays] = useState("365");

  function submit(event: FormEvent) {
    event.preventDefault();
    create.mutate({ account: account.trim(), expires_in_days: Number(days) });
  }

  if (create.data) {
    return (
      <div className={access.aside}>
        <Once secret={create.data.token} onDone={onDone}>
          The token of <strong>{create.data.account}</strong> is made. Give it to the directory now:
          it is not shown again.
        </Once>
      </div>
    );
  }
  const accountFault = faultAt(create.error, "account");
  const endFault = faultAt(create.error, "expires_in_days");
  return (
    <form
      className={access.form}
      onSubmit={submit}
      noValidate
      aria-label="New token for a directory"
    >
      <TextInput
        label="Service account"
        description="Made if it is not there. One for each directory."
        autoCapitalize="none"
        spellCheck={false}
        maxLength={63}
        autoFocus
        value={account}
        error={accountFault}
        onChange={(event) => setAccount(event.currentTarget.value)}
      />
      <NativeSelect
        label="Good for"
        description="Then make another one."
        data={lifetimes}
        value={days}
        error={endFault}
        onChange={(event) => setDays(event.currentTarget.value)}
      />
      <div className={access.actions} style={{ alignSelf: "end" }}>
        <Button type="submit" loading={create.isPending} disabled={account.trim() === ""}>
          Make token
        </Button>
        <Button variant="default" onClick={onDone}>
          Leave it
        </Button>
      </div>
      {create.error && !accountFault && !endFault && (
        <Notice tone="failed">{create.error.message}</Notice>
      )}
    </form>
  );
}
