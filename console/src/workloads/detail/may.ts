/** Whether who is signed in may cancel or change a workload; the server has the last word. */
import type { Workload } from "../../api/types";
import { useMay } from "../../session/queries";
import { isEnded } from "../state";

export function useMayChange({ project, state }: Pick<Workload, "project" | "state">): boolean {
  const may = useMay();
  return !isEnded(state) && may("workload:control", project);
}

export function useMaySubmit({ project }: Pick<Workload, "project">): boolean {
  return useMay()("workload:submit", project);
}
