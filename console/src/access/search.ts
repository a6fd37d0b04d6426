/** What of this room stands in the address: filters, the place that is asked about, and the form
 * that is open. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

const names = [
  "q",
  "shown",
  "form",
  "action",
  "role",
  "whose",
  "subject",
  "level",
  "target",
] as const;

export type AccessSearch = { [name in (typeof names)[number]]?: string };

export function accessSearchRead(search: Record<string, unknown>): AccessSearch {
  const found: AccessSearch = {};
  for (const name of names) {
    const value = search[name];
    if (typeof value === "string" && value !== "") found[name] = value;
  }
  return found;
}

/** The search of the page, and a way to change parts of it; an empty text takes a part away. */
export function useAccessSearch(): [AccessSearch, (change: AccessSearch) => void] {
  const search = accessSearchRead(useSearch({ strict: false }));
  const navigate = useNavigate();
  const change = useCallback(
    (next: AccessSearch) =>
      void navigate({
        to: ".",
        search: ((before: Record<string, unknown>) => {
          const { project } = before;
          return {
            ...(project !== undefined && { project }),
            ...accessSearchRead({ ...before, ...next }),
          };
        }) as never,
        replace: "q" in next,
      }),
    [navigate],
  );
  return [search, change];
}
