/** Teams with the projects that they own. Pure. */
import type { Project, Team } from "../../api/types";

export interface Owned {
  team: Team;
  /** Those that are looked for. */
  projects: Project[];
  total: number;
}

/** By name. A team that is looked for shows all its projects; others those that are. */
export function teamsOf(teams: readonly Team[], projects: readonly Project[], q: string): Owned[] {
  const wanted = q.toLowerCase();
  const has = (name: string) => name.toLowerCase().includes(wanted);
  return teams
    .map((team) => {
      const owned = projects.filter((project) => project.team === team.name);
      const shown = has(team.name) ? owned : owned.filter(({ name }) => has(name));
      return { team, projects: shown, total: owned.length };
    })
    .filter(({ team, projects: shown }) => shown.length > 0 || has(team.name));
}
