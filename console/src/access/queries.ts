/** Roles, who has them where, and who can do what. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { Action, Level, Role, SubjectKind } from "../api/types";
import { useMay } from "../session/queries";
import { accessKey, pageQuery, useChange, usePages } from "./pages";
import type { AccessSearch } from "./search";

export function useActions() {
  return useQuery({
    queryKey: [accessKey, "actions"],
    queryFn: async ({ signal }) => (await answered(api.GET("/api/v1/actions", { signal }))).items,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useRoles() {
  return useQuery({
    queryKey: [accessKey, "roles"],
    queryFn: async ({ signal }) => (await answered(api.GET("/api/v1/roles", { signal }))).items,
    staleTime: 60_000,
  });
}

/** The roles that I may give there: those that include no more than I may do. */
export function useGivable(level: Level, target: string): readonly Role[] {
  const { data = [] } = useRoles();
  const may = useMay();
  const place = level === "organisation" ? undefined : level === "team" ? { team: target } : target;
  return data.filter(({ actions }) => actions.every((each) => may(each, place)));
}

export function useRoleSet() {
  return useChange(({ name, ...body }: { name: string; description: string; actions: Action[] }) =>
    answered(api.PUT("/api/v1/roles/{role}", { params: { path: { role: name } }, body })),
  );
}

export function useRoleRemove(role: string) {
  return useChange((_: undefined) =>
    answered(api.DELETE("/api/v1/roles/{role}", { params: { path: { role } } })),
  );
}

export function useBindings({ whose, subject, role, level, target }: AccessSearch, enabled = true) {
  const filters = {
    ...(whose !== undefined && { subject_kind: whose as SubjectKind }),
    ...(subject !== undefined && { subject }),
    ...(role !== undefined && { role }),
    ...(level !== undefined && { level: level as Level }),
    ...(target !== undefined && { target }),
  };
  return usePages(
    ["bindings", filters],
    (cursor, signal) =>
      answered(
        api.GET("/api/v1/bindings", {
          params: { query: { ...filters, ...pageQuery(cursor) } },
          signal,
        }),
      ),
    enabled,
  );
}

export interface Given {
  subject_kind: SubjectKind;
  subject: string;
  role: string;
  level: Level;
  target: string;
}

export function useRoleGive() {
  return useChange((body: Given) => answered(api.POST("/api/v1/bindings", { body })));
}

const bindingRemove = (id: string) =>
  answered(api.DELETE("/api/v1/bindings/{binding_id}", { params: { path: { binding_id: id } } }));

export function useRoleTake(id: string) {
  return useChange((_: undefined) => bindingRemove(id));
}

/** Another role in place of the one that is given; nobody is without one in between. */
export function useRoleChange({ id, ...held }: Given & { id: string }) {
  const { subject_kind, subject, level, target } = held;
  return useChange(async (role: string) => {
    if (role === held.role) return;
    if (level === "project" && subject_kind === "user") {
      await answered(
        api.PUT("/api/v1/projects/{project}/members/{username}", {
          params: { path: { project: target, username: subject } },
          body: { role },
        }),
      );
      return;
    }
    const body = { subject_kind, subject, level, target, role };
    await answered(api.POST("/api/v1/bindings", { body }));
    await bindingRemove(id);
  });
}

/** Who may do it there, and by which roles. */
export function useHolders(action: Action, level: Level, target: string) {
  const place =
    level === "organisation" ? {} : level === "team" ? { team: target } : { project: target };
  return usePages(
    ["holders", action, place],
    (cursor, signal) =>
      answered(
        api.GET("/api/v1/access", {
          params: { query: { action, ...place, ...pageQuery(cursor) } },
          signal,
        }),
      ),
    level === "organisation" || target !== "",
  );
}
