/** Who is signed in, and what they may do in which project. */
import { Link } from "@tanstack/react-router";
import { useIdentity } from "../session/queries";
import classes from "./account.module.css";
import { Section } from "./Section";

const may: Record<string, string> = {
  lead: "Submits and controls work, and decides who is in the project.",
  developer: "Submits and controls work.",
  viewer: "Sees work.",
};

export function Roles() {
  const { username, administrator, roles } = useIdentity();
  const projects = Object.entries(roles).sort(([a], [b]) => (a < b ? -1 : 1));
  return (
    <Section
      title={`Signed in as ${username}`}
      sentence={
        administrator
          ? "You are an administrator: every project, node and person is yours to look after."
          : "A lead of a project or an administrator gives and takes roles."
      }
    >
      {projects.length === 0 ? (
        <p className={classes.note}>
          {administrator
            ? "You have no role in a single project, and need none."
            : "You have no role yet. Ask a lead or an administrator for one."}
        </p>
      ) : (
        <table className={classes.table}>
          <thead>
            <tr>
              <th>Project</th>
              <th>Role</th>
              <th className={classes.wide}>What you may do</th>
            </tr>
          </thead>
          <tbody>
            {projects.map(([project, role]) => (
              <tr key={project}>
                <td>
                  <Link to="/workloads" search={{ project: [project] }}>
                    {project}
                  </Link>
                </td>
                <td>{role}</td>
                <td className={classes.wide}>{may[role]}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}
