/** What is typed of a cluster, as the server takes it. Pure. */
import type { Cluster, ClusterAccess } from "../../api/types";

export interface ClusterDraft {
  name: string;
  /** How Podium reaches it. */
  way: "kubeconfig" | "inside";
  kubeconfig: string;
  context: string;
  region: string;
  /** "zone=secure" each. */
  labels: string[];
  image: string;
  /** What its API server puts before names of groups. */
  groupsPrefix: string;
}

export function draftOf(cluster?: Cluster): ClusterDraft {
  return {
    name: cluster?.name ?? "",
    way: cluster?.in_cluster ? "inside" : "kubeconfig",
    kubeconfig: "",
    context: "",
    region: cluster?.region ?? "",
    labels: Object.entries(cluster?.labels ?? {}).map(([key, value]) => `${key}=${value}`),
    image: cluster?.image ?? "",
    groupsPrefix: cluster?.groups_prefix ?? "",
  };
}

/** How to reach it; undefined where nothing new was typed of it. */
export function accessOf(draft: ClusterDraft): ClusterAccess | undefined {
  if (draft.way === "inside") return { in_cluster: true, context: "" };
  if (!draft.kubeconfig.trim()) return undefined;
  return { kubeconfig: draft.kubeconfig, context: draft.context.trim(), in_cluster: false };
}

export type DraftFaults = Partial<Record<"name" | "kubeconfig" | "labels", string>>;

/** What can be seen without asking the server. `known` is the one that is changed. */
export function faultsOf(draft: ClusterDraft, known?: Cluster): DraftFaults {
  const wrong = draft.labels.find((each) => !/^[^=\s]+=.*$/.test(each));
  const needs = draft.way === "kubeconfig" && (!known || known.in_cluster);
  return {
    ...(!draft.name.trim() && { name: "Write a short name, like munich." }),
    ...(needs && !draft.kubeconfig.trim() && { kubeconfig: "Paste the cluster’s kubeconfig." }),
    ...(wrong !== undefined && { labels: `“${wrong}” is no label. Write it like zone=secure.` }),
  };
}

export function labelsOf({ labels }: ClusterDraft): Record<string, string> {
  return Object.fromEntries(
    labels.map((each) => {
      const at = each.indexOf("=");
      return [each.slice(0, at), each.slice(at + 1)];
    }),
  );
}

/** "v1.30.1" is "1.30.1". */
export function versionInWords(version: string): string {
  return version.replace(/^v(?=\d)/, "");
}
