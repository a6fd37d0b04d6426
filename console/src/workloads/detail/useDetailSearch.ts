/** How the open workload is looked at, as the address has it, and changes to that. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { DetailSearch } from "./search";

/** New values for some of it; undefined takes one away. */
export type DetailChange = { [Name in keyof DetailSearch]?: DetailSearch[Name] | undefined };

export function useDetailSearch(): {
  search: DetailSearch;
  change: (next: DetailChange) => void;
} {
  const search: DetailSearch = useSearch({ from: "/workloads/$id" });
  const navigate = useNavigate();
  return {
    search,
    change: (next) =>
      void navigate({ to: ".", search: (held) => changed(held, next), replace: true }),
  };
}

/** For links: the address with other values. */
export function changed<Search extends object>(held: Search, next: DetailChange): Search {
  return { ...held, ...next } as unknown as Search;
}
