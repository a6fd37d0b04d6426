/** Groups of people, and who is in them. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import { accessKey, pageQuery, useChange, usePages } from "../pages";

export function useGroups(enabled = true) {
  return usePages(
    ["groups"],
    (cursor, signal) =>
      answered(api.GET("/api/v1/groups", { params: { query: pageQuery(cursor) }, signal })),
    enabled,
  );
}

export function useGroup(group: string) {
  return useQuery({
    queryKey: [accessKey, "group", group],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/groups/{group}", { params: { path: { group } }, signal })),
  });
}

export function useGroupMembers(group: string) {
  return usePages(["group", group, "members"], (cursor, signal) =>
    answered(
      api.GET("/api/v1/groups/{group}/members", {
        params: { path: { group }, query: pageQuery(cursor) },
        signal,
      }),
    ),
  );
}

export function useGroupCreate() {
  return useChange((name: string) => answered(api.POST("/api/v1/groups", { body: { name } })));
}

export function useGroupRemove(group: string) {
  return useChange((_: undefined) =>
    answered(api.DELETE("/api/v1/groups/{group}", { params: { path: { group } } })),
  );
}

export function useGroupAdd(group: string) {
  return useChange((username: string) =>
    answered(
      api.PUT("/api/v1/groups/{group}/members/{username}", {
        params: { path: { group, username } },
      }),
    ),
  );
}

export function useGroupTake(group: string, username: string) {
  return useChange((_: undefined) =>
    answered(
      api.DELETE("/api/v1/groups/{group}/members/{username}", {
        params: { path: { group, username } },
      }),
    ),
  );
}
