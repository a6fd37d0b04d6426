/** The roles that somebody has: where, and whether by name or through a group. */
import { Link } from "@tanstack/react-router";
import type { AccessPath } from "../api/types";
import { useMay } from "../session/queries";
import { RelativeTime } from "../time/Times";
import classes from "./access.module.css";
import { PlaceLink } from "./PlaceLink";
import { TakeRole } from "./TakeRole";

export function PathTable({ paths, label }: { paths: readonly AccessPath[]; label: string }) {
  const may = useMay();
  return (
    <table className={classes.table} aria-label={label}>
      <thead>
        <tr>
          <th scope="col">Role</th>
          <th scope="col">Where</th>
          <th scope="col">Through</th>
          <th scope="col" data-wide>
            Given
          </th>
          <th scope="col">
            <span className={classes.unseen}>Take away</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {paths.map((path) => {
          const { id, role, level, target, group } = path;
          const place = level === "project" ? target : { team: target };
          return (
            <tr key={`${id} ${group ?? ""}`}>
              <th scope="row">
                <Link to="/access/roles" search={{ role }}>
                  {role}
                </Link>
              </th>
              <td>
                <PlaceLink level={level} target={target} />
              </td>
              <td>
                {group ? (
                  <Link to="/access/groups/$name" params={{ name: group }}>
                    group {group}
                  </Link>
                ) : (
                  "by name"
                )}
              </td>
              <td data-wide data-time>
                <RelativeTime at={path.created_at} /> by {path.created_by}
              </td>
              <td data-end>{!group && may("binding:set", place) && <TakeRole binding={path} />}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
