/** The pages of this room that somebody's roles let them use, in the order of its tabs. */
import { useMaySomewhere } from "../session/queries";

export const governanceTabs = [
  { to: "/usage", label: "Usage and cost" },
  { to: "/budgets", label: "Budgets" },
  { to: "/quotas", label: "Quotas" },
  { to: "/planning", label: "Planning" },
  { to: "/data", label: "Data sources" },
  { to: "/compliance", label: "Compliance" },
] as const;

type Tab = (typeof governanceTabs)[number];

export function useGovernanceTabs(): readonly Tab[] {
  const somewhere = useMaySomewhere();
  const open: Record<Tab["to"], boolean> = {
    "/usage": somewhere("usage:read"),
    "/budgets": true,
    "/quotas": true,
    "/planning": somewhere("usage:read"),
    "/data": somewhere("data:view"),
    "/compliance": somewhere("audit:read"),
  };
  return governanceTabs.filter(({ to }) => open[to]);
}
