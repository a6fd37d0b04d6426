/** Teams and the projects that they own, with the cost centre that each is billed to. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useRef } from "react";
import type { Project, Team } from "../../api/types";
import { EmptyState } from "../../frame/EmptyState";
import { useKeys } from "../../frame/keys";
import { PageState } from "../../frame/PageState";
import { SearchField } from "../../frame/SearchField";
import { counted } from "../../quantity/words";
import { useMay } from "../../session/queries";
import { RelativeTime } from "../../time/Times";
import classes from "../access.module.css";
import { InPlace } from "../InPlace";
import { useAccessSearch } from "../search";
import { ProjectForm, TeamForm } from "./PlaceForms";
import { useProjectCostCentre, useProjects, useTeamCostCentre, useTeams } from "./queries";
import { type Owned, teamsOf } from "./tree";

export default function PlacesPage() {
  const mayCreate = useMay()("project:create");
  const teams = useTeams();
  const projects = useProjects();
  const [{ q = "", form, target }, change] = useAccessSearch();
  const searchRef = useRef<HTMLInputElement>(null);
  useKeys({
    "/": (event) => {
      event.preventDefault();
      searchRef.current?.focus();
    },
  });
  const close = () => change({ form: "", target: "" });
  if (!teams.data) return <PageState query={teams} what="teams" />;
  if (!projects.data) return <PageState query={projects} what="projects" />;
  const owned = teamsOf(teams.data, projects.data, q);
  return (
    <>
      <search className={classes.bar} aria-label="Filter teams and projects">
        <SearchField
          name="Search teams and projects"
          hint="Team or project"
          value={q}
          inputRef={searchRef}
          onChange={(next) => change({ q: next })}
        />
        <span className={classes.count}>
          {counted(teams.data.length, "team")}, {counted(projects.data.length, "project")}
        </span>
        {mayCreate && (
          <span className={classes.actions}>
            <Button variant="default" onClick={() => change({ form: "team" })}>
              New team
            </Button>
            <Button onClick={() => change({ form: "project" })}>New project</Button>
          </span>
        )}
      </search>
      {form === "team" && <TeamForm onClose={close} />}
      {form === "project" && (
        <ProjectForm
          teams={teams.data.map(({ name }) => name)}
          team={target ?? teams.data[0]?.name ?? ""}
          onClose={close}
        />
      )}
      {owned.length === 0 ? (
        <EmptyState
          title={q ? "Nothing matches" : "No teams yet"}
          sentence={
            q
              ? "No team or project has this in its name."
              : "A team owns projects, and work is submitted to a project."
          }
          action={
            q ? (
              <Button variant="default" onClick={() => change({ q: "" })}>
                Clear filters
              </Button>
            ) : null
          }
        />
      ) : (
        <table className={classes.table} aria-label="Teams and projects">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Cost centre</th>
              <th scope="col" data-wide>
                Made
              </th>
            </tr>
          </thead>
          {owned.map((each) => (
            <TeamRows key={each.team.name} owned={each} />
          ))}
        </table>
      )}
    </>
  );
}

function TeamRows({ owned: { team, projects, total } }: { owned: Owned }) {
  const may = useMay();
  const change = useTeamCostCentre(team.name);
  return (
    <tbody>
      <tr className={classes.team}>
        <th scope="row">
          <Link to="/access/places/teams/$name" params={{ name: team.name }}>
            {team.name}
          </Link>
          <span className={classes.mark}>Team · {counted(total, "project")}</span>
        </th>
        <td>
          <InPlace
            label={`Cost centre of team ${team.name}`}
            value={team.cost_centre}
            empty="not set"
            editable={may("project:change", { team: team.name })}
            change={change}
          />
        </td>
        <td data-wide data-time>
          <RelativeTime at={team.created_at} />
        </td>
      </tr>
      {projects.map((project) => (
        <ProjectRow key={project.name} project={project} team={team} />
      ))}
    </tbody>
  );
}

function ProjectRow({ project, team }: { project: Project; team: Team }) {
  const may = useMay();
  const change = useProjectCostCentre(project.name);
  return (
    <tr>
      <th scope="row" className={classes.owned}>
        <Link to="/access/places/projects/$name" params={{ name: project.name }}>
          {project.name}
        </Link>
      </th>
      <td>
        <InPlace
          label={`Cost centre of project ${project.name}`}
          value={project.cost_centre}
          empty={team.cost_centre ? `${team.cost_centre}, as the team` : "not set"}
          editable={may("project:change", project.name)}
          change={change}
        />
      </td>
      <td data-wide data-time>
        <RelativeTime at={project.created_at} />
      </td>
    </tr>
  );
}
