/** Whether who is signed in may cancel or change a workload; the server has the last word. */
import type { Workload } from "../../api/types";
import { useIdentity } from "../../session/queries";
import { isEnded } from "../state";

export function useMayChange({ project, state }: Pick<Workload, "project" | "state">): boolean {
  const { administrator, roles } = useIdentity();
  if (isEnded(state)) return false;
  return administrator || roles[project] !== "viewer";
}

export function useMaySubmit({ project }: Pick<Workload, "project">): boolean {
  const { administrator, roles } = useIdentity();
  return administrator || roles[project] !== "viewer";
}
