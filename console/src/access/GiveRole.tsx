/** Gives a role: to whom, which, and where, less what the page that it stands on says already. */
import { Button, NativeSelect } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { faultAt } from "../api/problem";
import type { SubjectKind } from "../api/types";
import { Notice } from "../session/Notice";
import classes from "./access.module.css";
import { type PlaceChosen, PlaceFields, usePlaceFirst } from "./PlaceFields";
import { useGivable, useRoleGive } from "./queries";
import { SubjectField } from "./SubjectField";

interface Props {
  subject?: { kind: SubjectKind; name: string };
  place?: PlaceChosen;
  onDone: () => void;
}

export function GiveRole({ subject, place, onDone }: Props) {
  const give = useRoleGive();
  const first = usePlaceFirst("binding:set");
  const [kind, setKind] = useState<SubjectKind>(subject?.kind ?? "user");
  const [name, setName] = useState(subject?.name ?? "");
  const [chosen, setChosen] = useState<PlaceChosen | null>(place ?? null);
  const [role, setRole] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const where = chosen ?? first;
  const roles = useGivable(where.level, where.target);
  const held = roles.some((each) => each.name === role) ? role : usual(roles.map((r) => r.name));

  function submit(event: FormEvent) {
    event.preventDefault();
    const found = name.trim() === "" ? "Write who is to have the role." : null;
    setFault(found);
    if (found) return;
    give.mutate(
      { subject_kind: kind, subject: name.trim(), role: held, ...where },
      { onSuccess: onDone },
    );
  }

  const subjectFault = fault ?? faultAt(give.error, "subject");
  const said = subjectFault ?? faultAt(give.error, "role") ?? faultAt(give.error, "target");
  return (
    <form className={classes.form} onSubmit={submit} noValidate aria-label="Give a role">
      {!subject && (
        <>
          <NativeSelect
            label="To a"
            data={[
              { value: "user", label: "Person or account" },
              { value: "group", label: "Group" },
            ]}
            value={kind}
            onChange={(event) => setKind(event.currentTarget.value as SubjectKind)}
          />
          <SubjectField
            kind={kind}
            label="Name"
            value={name}
            onChange={setName}
            error={subjectFault}
          />
        </>
      )}
      {!place && (
        <PlaceFields
          {...where}
          needs="binding:set"
          onChange={setChosen}
          error={faultAt(give.error, "target")}
        />
      )}
      <NativeSelect
        label="Role"
        data={roles.map((each) => each.name)}
        value={held}
        error={faultAt(give.error, "role")}
        onChange={(event) => setRole(event.currentTarget.value)}
      />
      <div className={classes.formActions}>
        <Button type="submit" loading={give.isPending} disabled={held === ""}>
          Give role
        </Button>
        <Button variant="default" onClick={onDone}>
          Leave it
        </Button>
      </div>
      {give.error && !said && <Notice tone="failed">{give.error.message}</Notice>}
    </form>
  );
}

/** What most people are given. */
function usual(names: readonly string[]): string {
  return names.includes("developer") ? "developer" : (names[0] ?? "");
}
