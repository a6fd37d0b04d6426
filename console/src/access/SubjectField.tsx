/** Names a person, service account or group; who may see people is offered those that there are. */
import { Autocomplete } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import type { SubjectKind } from "../api/types";
import { useMay } from "../session/queries";
import classes from "./access.module.css";
import { useGroups } from "./groups/queries";
import { usePeople } from "./people/queries";

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
  const names =
    kind === "user"
      ? people.items?.map(({ username }) => username)
      : groups.items?.map(({ name }) => name);
  return (
    <Autocomplete
      className={classes.grows ?? ""}
      label={label ?? (kind === "user" ? "Person or account" : "Group")}
      placeholder={kind === "user" ? "username" : "name"}
      autoCapitalize="none"
      spellCheck={false}
      data={names ?? []}
      limit={20}
      value={value}
      onChange={onChange}
      error={error}
    />
  );
}
