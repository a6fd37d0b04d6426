/** Who may set which budget: those of projects by who may for the team, all others for the whole. */
import { useProjects } from "../access/places/queries";
import type { BudgetLevel } from "../api/types";
import { useIdentity, useMay } from "../session/queries";

export function useMaySetBudget(): (level: BudgetLevel, target: string) => boolean {
  const may = useMay();
  const { data: projects } = useProjects();
  return (level, target) => {
    if (may("budget:set")) return true;
    const team = level === "project" && projects?.find(({ name }) => name === target)?.team;
    return team ? may("budget:set", { team }) : false;
  };
}

export function useMaySomeBudget(): boolean {
  const { teams = {} } = useIdentity();
  return useMay()("budget:set") || Object.values(teams).some((held) => held.includes("budget:set"));
}
