/** Names a person, service account or group; who may see people is offered those that there are, and
 * who only lets them in somewhere is offered those whose name begins so. */
import { Autocomplete } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import type { SubjectKind } from "../api/types";
import { useMay } from "../session/queries";
import classes from "./access.module.css";
import { useGroups } from "./groups/queries";
import { useFoundPeople, usePeople } from "./people/queries";

interface Props {
  kind: SubjectKind;
  value: string;
  onChange: (value: string) => void;
  error?: string | null;
  label?: string;
}

export function SubjectField({ kind, value, onChange, error, label }: Props) {
  const sees = useMay()("user:read");
  const [settled] = useDebouncedValue(value.trim(), 200);
  const people = usePeople(settled, false, sees && kind === "user");
  const groups = useGroups(sees && kind === "group");
  const found = useFoundPeople(settled, !sees && kind === "user");
  const known = sees ? people.items : found.data;
  const shown = new Map(known?.map(({ username, display_name }) => [username, display_name]));
  const names = kind === "user" ? [...shown.keys()] : groups.items?.map(({ name }) => name);
  return (
    <Autocomplete
      className={classes.grows ?? ""}
      label={label ?? (kind === "user" ? "Person or account" : "Group")}
      placeholder={kind === "user" ? "username" : "name"}
      autoCapitalize="none"
      spellCheck={false}
      data={names ?? []}
      // By display name, too: the server has chosen, so all that it found are offered.
      {...(kind === "user" && { filter: ({ options }) => options })}
      renderOption={({ option }) => (
        <span className={classes.offered}>
          {option.value}
          <small>{kind === "user" && shown.get(option.value)}</small>
        </span>
      )}
      limit={20}
      value={value}
      onChange={onChange}
      error={error}
    />
  );
}
