/** One team: who has which role in it, and the projects that it owns. */
import { Button } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import type { Project, Team } from "../../api/types";
import { PageState } from "../../frame/PageState";
import { useMay } from "../../session/queries";
import { RelativeTime } from "../../time/Times";
import classes from "../access.module.css";
import { Detail } from "../Detail";
import { InPlace } from "../InPlace";
import { Part } from "../Part";
import { Bound, Missing } from "./Members";
import { useProjects, useTeamCostCentre, useTeams } from "./queries";

const back = <Link to="/access/places">Teams and projects</Link>;

export default function TeamPage() {
  const { name = "" } = useParams({ strict: false });
  const teams = useTeams();
  const projects = useProjects();
  if (!teams.data) return <PageState query={teams} what="teams" />;
  const found = teams.data.find((each) => each.name === name);
  if (!found) return <Missing what="team" name={name} />;
  const owned = projects.data?.filter(({ team }) => team === name) ?? [];
  return <TeamDetail key={name} team={found} projects={owned} />;
}

function TeamDetail({ team, projects }: { team: Team; projects: readonly Project[] }) {
  const may = useMay();
  const { name } = team;
  const change = useTeamCostCentre(name);
  return (
    <Detail
      name={name}
      back={back}
      sentence={
        <>
          Team, made <RelativeTime at={team.created_at} />. Cost centre:{" "}
          <InPlace
            label={`Cost centre of team ${name}`}
            value={team.cost_centre}
            empty="not set"
            editable={may("project:change", { team: name })}
            change={change}
          />
        </>
      }
      actions={
        may("project:create") && (
          <Button
            variant="default"
            renderRoot={(props) => (
              <Link to="/access/places" search={{ form: "project", target: name }} {...props} />
            )}
          >
            New project
          </Button>
        )
      }
    >
      {may("binding:read", { team: name }) && <Bound level="team" target={name} />}
      <Part title="Projects" count={projects.length}>
        {projects.length === 0 && <p className={classes.note}>The team owns no project yet.</p>}
        {projects.length > 0 && (
          <table className={classes.table} aria-label={`Projects of ${name}`}>
            <thead>
              <tr>
                <th scope="col">Project</th>
                <th scope="col">Cost centre</th>
              </tr>
            </thead>
            <tbody>
              {projects.map((project) => (
                <tr key={project.name}>
                  <th scope="row">
                    <Link to="/access/places/projects/$name" params={{ name: project.name }}>
                      {project.name}
                    </Link>
                  </th>
                  <td>
                    {project.cost_centre || <span className={classes.quiet}>as the team</span>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Part>
    </Detail>
  );
}
