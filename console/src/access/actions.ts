/** What can be done, in the groups that people read it by. Pure. */
import type { KnownAction } from "../api/types";

export interface OfResource {
  resource: string;
  items: KnownAction[];
}

/** In the order in which the server tells them. */
export function byResource(actions: readonly KnownAction[]): OfResource[] {
  const found = new Map<string, KnownAction[]>();
  for (const each of actions) {
    found.set(each.resource, [...(found.get(each.resource) ?? []), each]);
  }
  return [...found].map(([resource, items]) => ({ resource, items }));
}
