/** The project that pages are about: the address's `?project=`, which every link keeps. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

/** All projects in the address; the list of workloads may be filtered by several. */
export function useScopeProjects(): string[] {
  const { project } = useSearch({ strict: false });
  return projectsRead(project);
}

/** The one project that was chosen; undefined means all (or several, which only the list knows). */
export function useProject(): string | undefined {
  const projects = useScopeProjects();
  return projects.length === 1 ? projects[0] : undefined;
}

/** Changes the project and stays on the page; undefined means all projects. */
export function useProjectSwitch(): (project: string | undefined) => void {
  const navigate = useNavigate();
  return useCallback(
    (project) =>
      void navigate({
        to: ".",
        // Said as undefined and not left out: what is left out is kept.
        search: (held) => ({ ...held, project: project ? [project] : undefined }) as typeof held,
      }),
    [navigate],
  );
}

/** For a link to something that may belong to any project. */
export const anyProject = { project: undefined } as unknown as { project?: string[] };

export function projectsRead(value: unknown): string[] {
  const given: unknown[] = Array.isArray(value) ? value : [value];
  return given.filter((each): each is string => typeof each === "string" && each !== "");
}
