/** One project: what it belongs to, who has which role in it, and who else comes in. */
import { Button } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import type { Project, Team } from "../../api/types";
import { PageState } from "../../frame/PageState";
import { useMay } from "../../session/queries";
import { RelativeTime } from "../../time/Times";
import { Detail } from "../Detail";
import { InPlace } from "../InPlace";
import { Bound, Members, Missing } from "./Members";
import { useProjectCostCentre, useProjects, useTeams } from "./queries";

const back = <Link to="/access/places">Teams and projects</Link>;

export default function ProjectPage() {
  const { name = "" } = useParams({ strict: false });
  const projects = useProjects();
  const teams = useTeams();
  if (!projects.data) return <PageState query={projects} what="projects" />;
  const found = projects.data.find((each) => each.name === name);
  if (!found) return <Missing what="project" name={name} />;
  const team = teams.data?.find((each) => each.name === found.team);
  return <ProjectDetail key={name} project={found} team={team} />;
}

function ProjectDetail({ project, team }: { project: Project; team: Team | undefined }) {
  const may = useMay();
  const { name } = project;
  const change = useProjectCostCentre(name);
  return (
    <Detail
      name={name}
      back={back}
      sentence={
        <>
          Project of team{" "}
          <Link to="/access/places/teams/$name" params={{ name: project.team }}>
            {project.team}
          </Link>
          , made <RelativeTime at={project.created_at} />. Cost centre:{" "}
          <InPlace
            label={`Cost centre of project ${name}`}
            value={project.cost_centre}
            empty={team?.cost_centre ? `${team.cost_centre}, as the team` : "not set"}
            editable={may("project:change", name)}
            change={change}
          />
        </>
      }
      actions={
        <>
          <Button
            variant="default"
            renderRoot={(props) => <Link to="/workloads" search={{ project: [name] }} {...props} />}
          >
            Its workloads
          </Button>
          {may("secret:read", name) && (
            <Button
              variant="default"
              renderRoot={(props) => (
                <Link to="/access/secrets" search={{ target: name }} {...props} />
              )}
            >
              Its secrets
            </Button>
          )}
        </>
      }
    >
      {may("binding:read", name) ? (
        <Bound level="project" target={name} />
      ) : (
        <Members project={name} />
      )}
    </Detail>
  );
}
