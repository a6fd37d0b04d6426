/** The issuer of a provider, with a button that asks it whether it is one. */
import { Button, TextInput } from "@mantine/core";
import { faultAt } from "../../api/problem";
import { useIssuerCheck } from "./queries";
import classes from "./sso.module.css";
import { Trial } from "./Trial";

interface Props {
  value: string;
  onChange: (issuer: string) => void;
  error: string | null;
}

export function IssuerField({ value, onChange, error }: Props) {
  const check = useIssuerCheck();
  const asked = check.variables === value.trim();
  const fault = (asked && faultAt(check.error, "issuer")) || error;
  const failure = asked && check.error && !faultAt(check.error, "issuer");
  return (
    <div>
      <div className={classes.withButton}>
        <TextInput
          label="Issuer"
          description="Exactly as the provider says it. https, unless it is on the server's own machine."
          placeholder="https://login.example.com/realms/main"
          inputMode="url"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={500}
          value={value}
          error={fault}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
        <Button
          variant="default"
          size="sm"
          loading={check.isPending}
          disabled={value.trim() === ""}
          onClick={() => check.mutate(value.trim())}
        >
          Check
        </Button>
      </div>
      {asked && check.data && <Trial trial={check.data} />}
      {failure && <p role="alert">{check.error?.message}</p>}
    </div>
  );
}
