/** What of the nodes is shown, and how. It lives in the address. */
import type { Device, Node } from "../api/types";

export const shapes = ["map", "list", "pools", "fragmentation"] as const;
export const shows = ["free", "idle", "trouble"] as const;
export type Shape = (typeof shapes)[number];
export type Show = (typeof shows)[number];

export type NodesView = {
  view?: Exclude<Shape, "map">;
  show?: Show;
  type?: string;
  pool?: string;
  cluster?: string;
  q?: string;
};

export function nodesViewRead(search: Record<string, unknown>): NodesView {
  const show = shows.find((each) => each === search.show);
  const view = shapes.find((each) => each === search.view);
  return {
    ...(view && view !== "map" && { view }),
    ...(show && { show }),
    ...(typeof search.type === "string" && search.type && { type: search.type }),
    ...(typeof search.pool === "string" && search.pool && { pool: search.pool }),
    ...(typeof search.cluster === "string" && search.cluster && { cluster: search.cluster }),
    ...(typeof search.q === "string" && search.q && { q: search.q }),
  };
}

export function isNodesFiltered({ show, type, pool, cluster, q }: NodesView): boolean {
  return Boolean(show || type || pool || cluster || q);
}

/** What stands for the servers' own machines among the clusters; no cluster can be called so. */
export const ownMachines = "(own)";

/** A share below this of what is held counts as doing nothing. */
const IDLE_SHARE = 0.05;

export function isIdle({ gpu_milli_used, busy_milli }: Device): boolean {
  return gpu_milli_used >= 500 && busy_milli != null && busy_milli < gpu_milli_used * IDLE_SHARE;
}

export function nodesShown(
  nodes: readonly Node[],
  { show, type, pool, cluster, q }: NodesView,
): Node[] {
  const text = q?.toLowerCase();
  return nodes.filter((node) => {
    const devices = type ? node.devices.filter((each) => each.type === type) : node.devices;
    if (type && devices.length === 0) return false;
    if (pool && node.pool !== pool) return false;
    if (cluster && (node.cluster || ownMachines) !== cluster) return false;
    const words = [
      node.cluster ?? "",
      node.name,
      node.rack,
      node.block,
      node.nvlink,
      node.pool,
      node.address,
    ];
    if (text && !words.some((each) => has(each, text))) return false;
    if (show === "free")
      return (
        node.state === "ready" &&
        devices.some((device) => device.healthy && device.gpu_milli_used < 1000)
      );
    if (show === "idle") return devices.some(isIdle);
    if (show === "trouble")
      return node.state === "lost" || devices.some((device) => !device.healthy);
    return true;
  });
}

function has(value: string, text: string): boolean {
  return value.toLowerCase().includes(text);
}

export interface RackGroup {
  block: string;
  rack: string;
  nodes: Node[];
}

const natural = new Intl.Collator("en", { numeric: true });

/** By block, then rack, then name, as people count: node-2 comes before node-10. */
export function racksOf(nodes: readonly Node[]): RackGroup[] {
  const groups = new Map<string, RackGroup>();
  for (const node of nodes) {
    const key = `${node.block}\n${node.rack}`;
    const group = groups.get(key) ?? { block: node.block, rack: node.rack, nodes: [] };
    group.nodes.push(node);
    groups.set(key, group);
  }
  const racks = [...groups.values()].sort(
    (a, b) => natural.compare(a.block, b.block) || natural.compare(a.rack, b.rack),
  );
  for (const { nodes: members } of racks) members.sort((a, b) => natural.compare(a.name, b.name));
  return racks;
}

/** The nodes of a rack by the NVLink domain that they share; one group where none do. */
export function domainsOf({ nodes }: RackGroup): { nvlink: string; nodes: Node[] }[] {
  const domains = new Map<string, Node[]>();
  for (const node of nodes) {
    const members = domains.get(node.nvlink) ?? [];
    members.push(node);
    domains.set(node.nvlink, members);
  }
  return [...domains]
    .sort(([a], [b]) => natural.compare(a, b))
    .map(([nvlink, members]) => ({ nvlink, nodes: members }));
}

/** Block, rack and NVLink domain, as far as they are told. */
export function placeInWords({ block, rack, nvlink }: Node): string {
  return [block, rack, nvlink && `NVLink ${nvlink}`].filter(Boolean).join(" / ");
}

export function poolsOf(nodes: readonly Node[]): string[] {
  return [...new Set(nodes.map(({ pool }) => pool).filter(Boolean))].sort(natural.compare);
}

/** Where there is more than one to choose from; the servers' own machines come first. */
export function clustersOf(nodes: readonly Node[]): { value: string; label: string }[] {
  const names = [...new Set(nodes.map(({ cluster }) => cluster ?? ""))].sort(natural.compare);
  if (names.length < 2) return [];
  return names.map((name) =>
    name ? { value: name, label: name } : { value: ownMachines, label: "Servers’ own" },
  );
}

export function typesOf(nodes: readonly Node[]): string[] {
  const types = new Set(nodes.flatMap(({ devices }) => devices.map(({ type }) => type)));
  return [...types].sort(natural.compare);
}
