/** Short names for the server's documents, as generated from its OpenAPI document. */
import type { components } from "./schema";

type Documents = components["schemas"];

export type Identity = Documents["IdentityView"];
export type Workload = Documents["WorkloadView"];
export type WorkloadDetail = Documents["WorkloadDetailView"];
export type WorkloadState = Documents["WorkloadState"];
export type Kind = Documents["Kind"];
export type Refusal = Documents["RefusalView"];
export type ReplicaCounts = Documents["ReplicaCountsView"];
export type Replica = Documents["ReplicaView"];
export type WorkloadEvent = Documents["EventView"];
export type Explanation = Documents["ExplanationView"];
export type Usage = Documents["UsageView"];
export type Node = Documents["NodeView"];
export type Device = Documents["DeviceView"];
export type Change = Documents["ChangeView"];
export type LogLine = Documents["LogLineView"];
export type ProblemDocument = Documents["Problem"];

export interface Page<Item> {
  items: Item[];
  next_cursor?: string | null;
}
