/** Who has which role where; the part that the page says already is left out. */
import { NativeSelect } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Binding } from "../api/types";
import { useMay } from "../session/queries";
import { RelativeTime } from "../time/Times";
import classes from "./access.module.css";
import { PlaceLink } from "./PlaceLink";
import { useGivable, useRoleChange } from "./queries";
import { TakeRole } from "./TakeRole";

interface Props {
  bindings: readonly Binding[];
  label: string;
  without?: "subject" | "place";
}

export function BindingTable({ bindings, label, without }: Props) {
  return (
    <table className={classes.table} aria-label={label}>
      <thead>
        <tr>
          {without !== "subject" && <th scope="col">Who</th>}
          <th scope="col">Role</th>
          {without !== "place" && <th scope="col">Where</th>}
          <th scope="col" data-wide>
            Given
          </th>
          <th scope="col">
            <span className={classes.unseen}>Take away</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {bindings.map((binding) => (
          <BindingRow key={binding.id} binding={binding} without={without} />
        ))}
      </tbody>
    </table>
  );
}

function BindingRow({ binding, without }: { binding: Binding; without: Props["without"] }) {
  const may = useMay();
  const { subject_kind: kind, subject, role, level, target } = binding;
  const place = level === "organisation" ? undefined : level === "team" ? { team: target } : target;
  const roleName = (
    <Link to="/access/roles" search={{ role }}>
      {role}
    </Link>
  );
  return (
    <tr>
      {without !== "subject" && (
        <th scope="row">
          <SubjectName kind={kind} name={subject} />
        </th>
      )}
      {without === "subject" ? (
        <th scope="row">{roleName}</th>
      ) : (
        <td>
          {without === "place" && may("binding:set", place) ? (
            <RoleChoice binding={binding} />
          ) : (
            roleName
          )}
        </td>
      )}
      {without !== "place" && (
        <td>
          <PlaceLink level={level} target={target} />
        </td>
      )}
      <td data-wide data-time>
        <RelativeTime at={binding.created_at} /> by {binding.created_by}
      </td>
      <td data-end>{may("binding:set", place) && <TakeRole binding={binding} />}</td>
    </tr>
  );
}

function RoleChoice({ binding }: { binding: Binding }) {
  const { id, subject, subject_kind, role, level, target } = binding;
  const given = useGivable(level, target).map(({ name }) => name);
  const change = useRoleChange({ id, subject, subject_kind, role, level, target });
  // What I could not give I cannot take either.
  if (!given.includes(role)) return role;
  return (
    <NativeSelect
      size="xs"
      w={136}
      aria-label={`Role of ${subject}`}
      data={given}
      value={change.isPending ? change.variables : role}
      disabled={change.isPending}
      error={change.error?.message}
      onChange={(event) => change.mutate(event.currentTarget.value)}
    />
  );
}

/** The name of somebody or a group, which leads there for who may look. */
export function SubjectName({ kind, name }: { kind: Binding["subject_kind"]; name: string }) {
  const sees = useMay()("user:read");
  if (kind === "group") {
    return (
      <>
        {sees ? (
          <Link to="/access/groups/$name" params={{ name }}>
            {name}
          </Link>
        ) : (
          name
        )}
        <span className={classes.mark}>Group</span>
      </>
    );
  }
  return sees ? (
    <Link to="/access/people/$name" params={{ name }}>
      {name}
    </Link>
  ) : (
    name
  );
}
