/** Short names for the server's documents, as generated from its OpenAPI document. */
import type { components } from "./schema";

type Documents = components["schemas"];

export type Identity = Documents["IdentityView"];
export type Workload = Documents["WorkloadView"];
export type WorkloadDetail = Documents["WorkloadDetailView"];
export type WorkloadState = Documents["WorkloadState"];
export type Kind = Documents["Kind"];
export type Refusal = Documents["RefusalView"];
export type Eta = Documents["EtaView"];
export type WaitReason = Documents["WaitReason"];
export type ReplicaCounts = Documents["ReplicaCountsView"];
export type Replica = Documents["ReplicaView"];
export type WorkloadEvent = Documents["EventView"];
export type Usage = Documents["UsageView"];
export type Node = Documents["NodeView"];
export type Pool = Documents["PoolView"];
export type Device = Documents["DeviceView"];
export type Change = Documents["ChangeView"];
export type Overview = Documents["OverviewView"];
export type Capacity = Documents["CapacityView"];
export type Fragmentation = Documents["FragmentationView"];
export type Explanation = Documents["ExplanationView"];
export type DryRun = Documents["DryRunView"];
export type OfferedChange = Documents["OfferedChangeView"];
export type NodeGroup = Documents["NodeGroupView"];
export type HeldBy = Documents["HeldByView"];
export type PlaceInLine = Documents["PlaceInLineView"];
export type Entitled = Documents["EntitledView"];
export type QuotaAfter = Documents["QuotaAfterView"];
export type NamedWorkload = Documents["NamedWorkloadView"];
export type WhatIf = Documents["WhatIfView"];
export type WhatIfRequest = Documents["WhatIfRequest"];
export type Moved = Documents["MovedView"];
export type Queue = Documents["QueueView"];
export type QueueEntry = Documents["QueueEntryView"];
export type QueuePlan = Documents["QueuePlanView"];
export type Quotas = Documents["QuotasView"];
export type QuotaLevel = Documents["QuotaLevel"];
export type QuotaRequest = Documents["QuotaRequest"];
export type Cycle = Documents["CycleView"];
export type Cycles = Documents["CyclesView"];
export type Replayed = Documents["ReplayView"];
export type SchedulerMinutes = Documents["SchedulerMinutesView"];
export type GaveWay = Documents["GaveWayView"];
export type Calibration = Documents["CalibrationView"];
export type Found = Documents["FoundView"];
export type Notice = Documents["NoticeView"];
export type Notices = Documents["NoticesView"];
export type SavedView = Documents["SavedViewView"];
export type Curves = Documents["CurvesView"];
export type Token = Documents["TokenView"];
export type Health = Documents["HealthView"];
export type About = Documents["AboutView"];
export type WorkloadPage = Documents["WorkloadPage"];
export type WorkloadSort = Documents["WorkloadSort"];
export type WorkloadChange = Documents["ChangeRequest"];
export type ActionRequest = Documents["ActionRequest"];
export type ActionDone = Documents["ActionView"];
export type LogPage = Documents["LogPageView"];
export type LogLine = Documents["LogLineView"];
export type ProblemDocument = Documents["Problem"];

export interface Page<Item> {
  items: Item[];
  next_cursor?: string | null;
}
