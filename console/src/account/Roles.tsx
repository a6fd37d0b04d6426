/** Who is signed in, and what they may do where. */
import { Link } from "@tanstack/react-router";
import type { Action } from "../api/types";
import { counted } from "../quantity/words";
import { useIdentity } from "../session/queries";
import classes from "./account.module.css";
import { Section } from "./Section";

export function Roles() {
  const identity = useIdentity();
  const { username, administrator, roles, everywhere = [], projects = {} } = identity;
  const places = Object.entries(projects).sort(([a], [b]) => (a < b ? -1 : 1));
  return (
    <Section
      title={`Signed in as ${username}`}
      sentence={
        administrator
          ? "You are an administrator: every project, node and person is yours to look after."
          : "A lead of a project or an administrator gives and takes roles."
      }
    >
      {!administrator && everywhere.length > 0 && (
        <p className={classes.note}>In the whole organisation: {gistOf(everywhere)}</p>
      )}
      {places.length === 0 && everywhere.length === 0 && (
        <p className={classes.note}>
          You have no role yet. Ask a lead or an administrator for one.
        </p>
      )}
      {places.length === 0 && administrator && (
        <p className={classes.note}>You have no role in a single project, and need none.</p>
      )}
      {places.length > 0 && (
        <table className={classes.table}>
          <thead>
            <tr>
              <th>Project</th>
              <th>Role</th>
              <th className={classes.wide}>What you may do</th>
            </tr>
          </thead>
          <tbody>
            {places.map(([project, actions]) => (
              <tr key={project}>
                <td>
                  <Link to="/access/places/projects/$name" params={{ name: project }}>
                    {project}
                  </Link>
                </td>
                <td>{roles[project]}</td>
                <td className={classes.wide} title={actions.join("\n")}>
                  {gistOf(actions)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

const gists: [Action, string][] = [
  ["binding:set", "decides who is in it"],
  ["workload:submit", "submits work"],
  ["workload:control", "controls work"],
  ["workload:read", "sees work"],
  ["node:control", "runs the nodes"],
  ["audit:read", "reads the audit trail"],
];

/** "Submits work, controls work, sees work." A role of the organisation's own may do other things. */
function gistOf(actions: readonly Action[]): string {
  const said = gists.filter(([action]) => actions.includes(action)).map(([, words]) => words);
  const words = said.length > 0 ? said.join(", ") : counted(actions.length, "action");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
