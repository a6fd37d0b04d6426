/** The projects that one may see, for filters and later for the switcher. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";

export function useProjectNames(): string[] {
  const { data } = useQuery({
    queryKey: ["projects"],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/projects", { params: { query: { limit: 500 } }, signal })),
    staleTime: 60_000,
  });
  return data?.items.map((project) => project.name) ?? [];
}
