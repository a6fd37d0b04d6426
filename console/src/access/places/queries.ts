/** Teams, and the projects that they own. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import type { Page, Project, Team } from "../../api/types";
import { accessKey, useChange, usePages } from "../pages";

/** All pages of a list; there are far fewer teams and projects than people. */
async function everything<Item>(
  read: (query: { limit: number; cursor?: string }) => Promise<Page<Item>>,
): Promise<Item[]> {
  const found: Item[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await read({ limit: 500, ...(cursor && { cursor }) });
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return found;
}

export function useTeams() {
  return useQuery({
    queryKey: [accessKey, "teams"],
    queryFn: ({ signal }) =>
      everything<Team>((query) =>
        answered(api.GET("/api/v1/teams", { params: { query }, signal })),
      ),
  });
}

export function useProjects() {
  return useQuery({
    queryKey: [accessKey, "projects"],
    queryFn: ({ signal }) =>
      everything<Project>((query) =>
        answered(api.GET("/api/v1/projects", { params: { query }, signal })),
      ),
  });
}

export function useProjectMembers(project: string, enabled: boolean) {
  return usePages(
    ["members", project],
    (cursor, signal) =>
      answered(
        api.GET("/api/v1/projects/{project}/members", {
          params: { path: { project }, query: { limit: 100, ...(cursor && { cursor }) } },
          signal,
        }),
      ),
    enabled,
  );
}

export function useTeamCreate() {
  return useChange((body: { name: string; cost_centre: string }) =>
    answered(api.POST("/api/v1/teams", { body })),
  );
}

export function useProjectCreate() {
  return useChange((body: { name: string; team: string; cost_centre: string }) =>
    answered(api.POST("/api/v1/projects", { body })),
  );
}

export function useTeamCostCentre(team: string) {
  return useChange((cost_centre: string) =>
    answered(
      api.PATCH("/api/v1/teams/{team}", { params: { path: { team } }, body: { cost_centre } }),
    ),
  );
}

export function useProjectCostCentre(project: string) {
  return useChange((cost_centre: string) =>
    answered(
      api.PATCH("/api/v1/projects/{project}", {
        params: { path: { project } },
        body: { cost_centre },
      }),
    ),
  );
}
