/** The people and groups that a directory changed last. */
import { Link } from "@tanstack/react-router";
import type { DirectoryChange } from "../../api/types";
import { RelativeTime } from "../../time/Times";
import access from "../access.module.css";

const states = {
  active: "Active",
  disabled: "Deactivated: not let in",
  deleted: "Deleted there: not let in",
} as const;

export function Changes({ changes }: { changes: readonly DirectoryChange[] }) {
  return (
    <table className={access.table} aria-label="Changed last by the directory">
      <thead>
        <tr>
          <th scope="col">Person or group</th>
          <th scope="col" data-wide>
            In the directory
          </th>
          <th scope="col">State</th>
          <th scope="col">Changed</th>
        </tr>
      </thead>
      <tbody>
        {changes.map(({ kind, name, told_name, state, changed_at }) => (
          <tr key={`${kind} ${name}`}>
            <th scope="row">
              {kind === "group" ? (
                <>
                  <Link to="/access/groups/$name" params={{ name }}>
                    {name}
                  </Link>
                  <span className={access.mark}>Group</span>
                </>
              ) : (
                <Link to="/access/people/$name" params={{ name }}>
                  {name}
                </Link>
              )}
            </th>
            <td data-wide>{told_name}</td>
            <td>
              {state === "active" ? (
                kind === "group" ? (
                  <span className={access.quiet}>kept</span>
                ) : (
                  states.active
                )
              ) : (
                <span className={access.quiet}>{states[state]}</span>
              )}
            </td>
            <td data-time>
              <RelativeTime at={changed_at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
