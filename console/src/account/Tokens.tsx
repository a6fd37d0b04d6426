/** Tokens for scripts: those there are, a new one, and the way to end one. */
import { Button } from "@mantine/core";
import { useState } from "react";
import { PageState } from "../frame/PageState";
import { useTokens } from "./queries";
import { Section } from "./Section";
import { TokenForm } from "./TokenForm";
import { TokenTable } from "./TokenTable";

export function Tokens() {
  const tokens = useTokens();
  const [making, setMaking] = useState(false);
  return (
    <Section
      title="Tokens"
      sentence="A token signs in a script or the command line as you, with all that you may do. Sign-ins are listed too."
    >
      {making ? (
        <TokenForm onDone={() => setMaking(false)} />
      ) : (
        <div>
          <Button variant="default" onClick={() => setMaking(true)}>
            New token
          </Button>
        </div>
      )}
      {tokens.data ? (
        <TokenTable tokens={tokens.data.items} />
      ) : (
        <PageState query={tokens} what="tokens" rows={3} />
      )}
    </Section>
  );
}
