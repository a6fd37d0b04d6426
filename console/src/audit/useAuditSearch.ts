/** The address of the audit page: what it says, and another one. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { type AuditChange, type AuditSearch, auditSearchRead } from "./search";

export function useAuditSearch(): [AuditSearch, (next: AuditChange) => void] {
  const search = auditSearchRead(useSearch({ strict: false }));
  const navigate = useNavigate();
  const change = useCallback(
    (next: AuditChange) =>
      void navigate({
        to: ".",
        search: ((held: Record<string, unknown>) => changed(held, next)) as never,
        // Letters and entries that one passes by would fill the way back.
        replace: "q" in next || "entry" in next,
      }),
    [navigate],
  );
  return [search, change];
}

/** For links: the address with other values, and the project kept. */
export function changed(held: Record<string, unknown>, next: AuditChange): AuditSearch {
  const kept = "project" in held ? { project: held.project } : {};
  return { ...kept, ...auditSearchRead({ ...held, ...next }) } as AuditSearch;
}
