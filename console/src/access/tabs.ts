/** The pages of this room that somebody's roles let them use, in the order of its tabs. */
import { useMay, useMaySomewhere } from "../session/queries";

export const tabs = [
  { to: "/access/people", label: "People" },
  { to: "/access/groups", label: "Groups" },
  { to: "/access/places", label: "Teams and projects" },
  { to: "/access/roles", label: "Roles" },
  { to: "/access/bindings", label: "Bindings" },
  { to: "/access/who", label: "Who can" },
  { to: "/access/accounts", label: "Service accounts" },
  { to: "/access/secrets", label: "Secrets" },
  { to: "/access/sso", label: "Single sign-on" },
  { to: "/access/directory", label: "Directory" },
] as const;

type Tab = (typeof tabs)[number];

export function useTabs(): readonly Tab[] {
  const may = useMay();
  const somewhere = useMaySomewhere();
  const open: Record<Tab["to"], boolean> = {
    "/access/people": may("user:read"),
    "/access/groups": may("user:read"),
    "/access/places": true,
    "/access/roles": true,
    "/access/bindings": somewhere("binding:read"),
    "/access/who": somewhere("binding:read"),
    "/access/accounts": somewhere("account:manage") || may("user:read"),
    "/access/secrets": somewhere("secret:read"),
    "/access/sso": may("provider:set"),
    "/access/directory": may("provider:set"),
  };
  return tabs.filter(({ to }) => open[to]);
}
