/** The reasons to wait, as filters name them. */
import type { WaitReason } from "../api/types";

const words: Record<WaitReason, string> = {
  new: "Not looked at yet",
  dependency: "Another workload",
  start_time: "Its start time",
  capacity: "Capacity in use",
  priority: "Work ahead of it",
  fragmentation: "Fragmented capacity",
  impossible_type: "No such GPU",
  impossible_size: "Larger than the cluster",
  no_nodes: "No healthy node",
  unhealthy_nodes: "Nodes that are down",
  topology: "Topology",
  policy: "Policy",
  quota: "Quota",
  budget: "Budget",
  reservation: "Reservation",
};

export const reasons = Object.keys(words) as WaitReason[];

export function reasonInWords(reason: WaitReason): string {
  return words[reason] ?? reason;
}
