/** Tokens for scripts: those there are, a new one, and the way to end one. */
import { Button } from "@mantine/core";
import { useState } from "react";
import { Copyable } from "../frame/Copyable";
import { PageState } from "../frame/PageState";
import { useProjectNames } from "../projects/queries";
import { useActionsHeld } from "../session/queries";
import classes from "./account.module.css";
import { useTokenCreate, useTokenRevoke, useTokens } from "./queries";
import { Section } from "./Section";
import { TokenForm } from "./TokenForm";
import { TokenTable } from "./TokenTable";

export function Tokens() {
  const tokens = useTokens();
  const revoke = useTokenRevoke();
  const shown = tokens.data?.items.filter(({ kind }) => kind === "token");
  const [making, setMaking] = useState(false);
  return (
    <Section
      title="Tokens"
      sentence="A token signs in a script or the command line as you, with all that you may do or with less."
    >
      {making ? (
        <NewToken onDone={() => setMaking(false)} />
      ) : (
        <div>
          <Button variant="default" onClick={() => setMaking(true)}>
            New token
          </Button>
        </div>
      )}
      {!shown && <PageState query={tokens} what="tokens" rows={3} />}
      {shown?.length === 0 && (
        <p className={classes.note}>
          No tokens yet. Make one for a script, and hand it over as <Copyable text="PODIUM_TOKEN" />
          .
        </p>
      )}
      {shown && shown.length > 0 && <TokenTable tokens={shown} revoke={revoke} />}
    </Section>
  );
}

function NewToken({ onDone }: { onDone: () => void }) {
  return (
    <TokenForm
      create={useTokenCreate()}
      actions={useActionsHeld()}
      projects={useProjectNames()}
      endless
      onDone={onDone}
    />
  );
}
