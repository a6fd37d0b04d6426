/** Groups that are named differently at the provider and here. */
import { Autocomplete, Button, TextInput } from "@mantine/core";
import { useMay } from "../../session/queries";
import classes from "../access.module.css";
import { useGroups } from "../groups/queries";
import sso from "./sso.module.css";
import type { Draft } from "./words";

interface Props {
  names: Draft["names"];
  onChange: (names: Draft["names"]) => void;
  faultOf: (field: string) => string | null;
}

export function GroupNames({ names, onChange, faultOf }: Props) {
  const known = useGroups(useMay()("user:read")).items?.map(({ name }) => name) ?? [];
  const set = (at: number, next: Partial<Draft["names"][number]>) =>
    onChange(names.map((each, index) => (index === at ? { ...each, ...next } : each)));
  return (
    <fieldset className={sso.names}>
      <legend>Groups with another name here</legend>
      {names.length === 0 && (
        <p className={classes.quiet}>
          None: a group there is the group of the same name here. Name those that differ, such as{" "}
          <code>/ml/vision</code> → <code>vision</code>.
        </p>
      )}
      {names.map(({ there, here }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place while it is typed.
        <div key={at} className={sso.pair}>
          <TextInput
            aria-label={`Group at the provider, ${at + 1}`}
            placeholder="/ml/vision"
            autoCapitalize="none"
            spellCheck={false}
            value={there}
            error={there.trim() === "" ? faultOf("group_names.") : null}
            onChange={(event) => set(at, { there: event.currentTarget.value })}
          />
          <span aria-hidden>→</span>
          <Autocomplete
            aria-label={`Group here, ${at + 1}`}
            placeholder="vision"
            autoCapitalize="none"
            spellCheck={false}
            data={known}
            limit={20}
            value={here}
            error={faultOf(`group_names.${there.trim()}`)}
            onChange={(next) => set(at, { here: next })}
          />
          <button
            type="button"
            className={classes.textButton}
            aria-label={`Leave out ${there || `row ${at + 1}`}`}
            onClick={() => onChange(names.filter((_, index) => index !== at))}
          >
            Leave out
          </button>
        </div>
      ))}
      <div>
        <Button
          variant="default"
          size="compact-xs"
          onClick={() => onChange([...names, { there: "", here: "" }])}
        >
          Add a name
        </Button>
      </div>
    </fieldset>
  );
}
