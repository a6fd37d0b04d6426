/** Who was given which role in a team or a project. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Level } from "../../api/types";
import { EmptyState } from "../../frame/EmptyState";
import { PageState } from "../../frame/PageState";
import { ShowMore } from "../../frame/ShowMore";
import { useMay } from "../../session/queries";
import classes from "../access.module.css";
import { BindingTable } from "../BindingTable";
import { GiveRole } from "../GiveRole";
import { Part } from "../Part";
import { useBindings } from "../queries";
import { useAccessSearch } from "../search";
import { useProjectMembers } from "./queries";

export function Missing({ what, name }: { what: string; name: string }) {
  return (
    <EmptyState title="Not found" sentence={`There is no ${what} ${name} that you can see.`} />
  );
}

/** Who was given a role right here, for who may see that. */
export function Bound({ level, target }: { level: Level; target: string }) {
  const may = useMay();
  const [search, change] = useAccessSearch();
  const bindings = useBindings({ level, target });
  const mayGive = may("binding:set", level === "team" ? { team: target } : target);
  return (
    <Part
      title="Members"
      count={bindings.hasNextPage ? undefined : bindings.items?.length}
      sentence={
        <>
          {level === "team"
            ? "A role in a team holds in all its projects. "
            : "Others may come in by a role in the team or in the whole organisation. "}
          <Link to="/access/who" search={{ action: "workload:read", level, target }}>
            Who can see work here?
          </Link>
        </>
      }
      aside={
        mayGive &&
        search.form !== "role" && (
          <Button onClick={() => change({ form: "role" })}>Let somebody in</Button>
        )
      }
    >
      {search.form === "role" && (
        <GiveRole place={{ level, target }} onDone={() => change({ form: "" })} />
      )}
      {!bindings.items && <PageState query={bindings} what="members" rows={3} />}
      {bindings.items?.length === 0 && (
        <p className={classes.note}>Nobody was given a role right here.</p>
      )}
      {bindings.items && bindings.items.length > 0 && (
        <BindingTable bindings={bindings.items} label={`Members of ${target}`} without="place" />
      )}
      <ShowMore list={bindings} />
    </Part>
  );
}

/** People and their roles, for who works here and has no say in it. */
export function Members({ project }: { project: string }) {
  const members = useProjectMembers(project, true);
  return (
    <Part
      title="Members"
      count={members.hasNextPage ? undefined : members.items?.length}
      sentence="A lead gives and takes roles."
    >
      {!members.items && <PageState query={members} what="members" rows={3} />}
      {members.items && (
        <table className={classes.table} aria-label={`Members of ${project}`}>
          <thead>
            <tr>
              <th scope="col">Who</th>
              <th scope="col">Role</th>
            </tr>
          </thead>
          <tbody>
            {members.items.map(({ username, role }) => (
              <tr key={`${username} ${role}`}>
                <th scope="row">{username}</th>
                <td>
                  <Link to="/access/roles" search={{ role }}>
                    {role}
                  </Link>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ShowMore list={members} />
    </Part>
  );
}
