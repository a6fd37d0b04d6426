/** What the groups of a provider get here: the names that differ, and the roles of each group. */
import { Link } from "@tanstack/react-router";
import type { Binding, Provider } from "../../api/types";
import { useMay, useMaySomewhere } from "../../session/queries";
import classes from "../access.module.css";
import { FieldGroup } from "../Field";
import { useGroups } from "../groups/queries";
import { useBindings } from "../queries";
import { placeInWords } from "../words";
import sso from "./sso.module.css";

export function GroupsGiven({ provider }: { provider: Provider }) {
  const { groups_claim, groups, group_names } = provider;
  const known = useGroups(useMay()("user:read"));
  const bindings = useBindings({ whose: "group" }, useMaySomewhere()("binding:read"));
  if (!groups_claim) {
    return (
      <FieldGroup title="Groups">
        <p className={classes.quiet}>
          The provider names none: put people into groups under{" "}
          <Link to="/access/groups">Groups</Link>.
        </p>
      </FieldGroup>
    );
  }
  const named = new Map(Object.entries(group_names).map(([there, here]) => [here, there]));
  const there = known.items?.map(({ name }) => name) ?? [];
  const rows = [...new Set([...named.keys(), ...there])].sort();
  return (
    <FieldGroup
      title="What its groups get"
      sentence="Each group of Podium that the provider can put people into, and the roles that they have by it."
    >
      {rows.length === 0 ? (
        <p className={classes.quiet}>
          Podium has no groups yet.{" "}
          {groups === "create"
            ? "They are made as people come; give them roles then."
            : "Make those that the provider names, and give them roles."}{" "}
          <Link to="/access/groups" search={{ form: "group" }}>
            Make a group
          </Link>
        </p>
      ) : (
        <table className={`${classes.table} ${sso.groups}`} aria-label="What its groups get">
          <thead>
            <tr>
              <th scope="col">At the provider</th>
              <th scope="col">Here</th>
              <th scope="col">Roles</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((here) => (
              <tr key={here}>
                <td>
                  <code>{named.get(here) ?? here}</code>
                </td>
                <td>
                  {there.includes(here) ? (
                    <Link to="/access/groups/$name" params={{ name: here }}>
                      {here}
                    </Link>
                  ) : (
                    <>
                      {here} <span className={classes.mark}>Not there yet</span>
                    </>
                  )}
                </td>
                <td>
                  <Roles held={bindings.items?.filter(({ subject }) => subject === here) ?? []} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </FieldGroup>
  );
}

function Roles({ held }: { held: readonly Binding[] }) {
  if (held.length === 0) return <span className={classes.quiet}>none yet</span>;
  return (
    <span className={classes.list}>
      {held.map(({ id, role, level, target }) => (
        <span key={id}>
          {role} in {placeInWords(level, target)}
        </span>
      ))}
    </span>
  );
}
