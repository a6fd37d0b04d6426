/** How what a spec asks for compares with what is free now, counted from the nodes. It tells only
 * what is known: whether the work starts is the scheduler's to say. */
import type { Device, Node } from "../api/types";
import { bytesInWords, counted, milliInWords } from "../quantity/words";
import { type SpecDocument, specRead, textAt, textsAt } from "./specText";

export type GpuMode = "none" | "whole" | "share" | "memory" | "mig";

export interface Ask {
  mode: GpuMode;
  /** For each replica; 0 where it cannot be read. */
  gpus: number;
  shareBytes: number;
  profile: string;
  /** A share that only MIG instances can give. */
  cut: boolean;
  types: string[];
  replicas: number;
  array: boolean;
}

export interface TypeRoom {
  type: string;
  free: number;
  total: number;
}

export interface Fit {
  sentence: string;
  /** True when less is free than is asked for. */
  short: boolean;
}

export function gpuModeOf(document: SpecDocument): GpuMode {
  const written = (field: string) => textAt(document, ["resources", field]) !== "";
  if (written("mig")) return "mig";
  const gpus = textAt(document, ["resources", "gpus"]);
  if (gpus !== "") return isShare(gpus ?? "") ? "share" : "whole";
  return written("gpu_memory") ? "memory" : "none";
}

function isShare(gpus: string): boolean {
  const milli = milliRead(gpus);
  return milli > 0 && milli < 1000;
}

export function askOf(document: SpecDocument): Ask {
  const array = textAt(document, ["array"]) ?? "";
  const replicas = textAt(document, ["replicas"]);
  const least = replicas === null ? textAt(document, ["replicas", "min"]) || "1" : replicas;
  const mig = textAt(document, ["resources", "mig"]);
  return {
    mode: gpuModeOf(document),
    gpus: milliRead(textAt(document, ["resources", "gpus"]) ?? "") / 1000,
    shareBytes: bytesRead(
      (textAt(document, ["resources", "gpu_memory"]) ?? "").split("..")[0] ?? "",
    ),
    profile: (mig ?? textAt(document, ["resources", "mig", "profile"]) ?? "").toLowerCase(),
    cut: textAt(document, ["resources", "isolation"]) === "mig",
    types: textsAt(document, ["resources", "gpu_type"]) ?? [],
    replicas: Math.max(1, Number(array || least) || 1),
    array: array !== "",
  };
}

/** "0.5" and "500m" → 500; 0 for what is no number. */
export function milliRead(text: string): number {
  const thousandths = /^(\d+)m$/.exec(text.trim());
  if (thousandths) return Number(thousandths[1]);
  const value = Number(text.trim());
  return text.trim() !== "" && Number.isFinite(value) && value > 0 ? Math.round(value * 1000) : 0;
}

const UNITS: Record<string, number> = { "": 1, b: 1 };
["k", "m", "g", "t"].forEach((letter, at) => {
  for (const unit of [letter, `${letter}b`]) UNITS[unit] = 1000 ** (at + 1);
  for (const unit of [`${letter}i`, `${letter}ib`]) UNITS[unit] = 1024 ** (at + 1);
});

export function bytesRead(text: string): number {
  const found = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text);
  const unit = UNITS[(found?.[2] ?? "").toLowerCase()];
  return found && unit ? Number(found[1]) * unit : 0;
}

/** What each type of GPU has, of the nodes that take work; the type with most free first. One that
 * is all in MIG mode has none. */
export function roomByType(nodes: readonly Node[]): TypeRoom[] {
  const byType = new Map<string, TypeRoom>();
  for (const device of ready(nodes).flatMap(wholeDevices)) {
    const room = byType.get(device.type) ?? { type: device.type, free: 0, total: 0 };
    room.total += 1;
    if (device.gpu_milli_used === 0) room.free += 1;
    byType.set(device.type, room);
  }
  for (const { type, healthy, mig } of ready(nodes).flatMap(({ devices }) => devices)) {
    if (healthy && mig && !byType.has(type)) byType.set(type, { type, free: 0, total: 0 });
  }
  return [...byType.values()].sort((a, b) => b.free - a.free || a.type.localeCompare(b.type));
}

/** `resolved` is the spec with every default, where it is known: it says the CPU and memory. */
export function fitOf(
  ask: Ask,
  nodes: readonly Node[],
  resolved: Record<string, unknown> | null = null,
): Fit[] {
  const usable = ready(nodes);
  if (usable.length === 0) return [{ sentence: "No node takes work now.", short: true }];
  return [...gpuFits(ask, usable), ...machineFits(ask, usable, resolved)];
}

/** The same for each of the unlike groups of a gang, which stand in the resolved spec. */
export function groupFits(nodes: readonly Node[], resolved: Record<string, unknown> | null): Fit[] {
  const groups = (resolved?.groups ?? []) as { name: string; resources: unknown }[];
  return groups.flatMap(({ name, ...group }) => {
    const { document } = specRead(JSON.stringify(group));
    return fitOf(askOf(document), nodes, group).map(({ sentence, short }) => ({
      sentence: `${name}: ${sentence}`,
      short,
    }));
  });
}

function gpuFits(ask: Ask, usable: readonly Node[]): Fit[] {
  if (ask.cut && (ask.mode === "share" || ask.mode === "memory")) return [cut(ask, usable)];
  switch (ask.mode) {
    case "none":
      return [{ sentence: "It asks for no GPU.", short: false }];
    case "whole":
      return ask.gpus >= 1 ? whole(ask, usable) : [];
    case "share":
      return parts(ask, usable, `${milliInWords(ask.gpus * 1000)} of a GPU`, (device) =>
        Math.floor((1000 - device.gpu_milli_used) / (ask.gpus * 1000)),
      );
    case "memory":
      return ask.shareBytes === 0
        ? []
        : parts(ask, usable, `${bytesInWords(ask.shareBytes)} of a GPU`, (device) =>
            Math.floor((device.memory_bytes - device.memory_bytes_used) / ask.shareBytes),
          );
    case "mig":
      return ask.profile === "" ? [] : [instances(ask, usable)];
  }
}

function machineFits(
  ask: Ask,
  nodes: readonly Node[],
  resolved: Record<string, unknown> | null,
): Fit[] {
  const { cpus, memory } = (resolved?.resources ?? {}) as Record<string, unknown>;
  const cpuMilli = milliRead(String(cpus ?? ""));
  const memoryBytes = bytesRead(String(memory ?? ""));
  if (cpuMilli === 0 || memoryBytes === 0) return [];
  const fitting = nodes.filter(
    (node) =>
      node.cpu_milli - node.cpu_milli_used >= cpuMilli &&
      node.memory_bytes - node.memory_bytes_used >= memoryBytes,
  ).length;
  const what = `${milliInWords(cpuMilli)} CPU and ${bytesInWords(memoryBytes)}`;
  const each = ask.array ? "one task" : "one replica";
  const who =
    fitting === 0
      ? "No node has"
      : `${fitting} of ${counted(nodes.length, "node")} ${fitting === 1 ? "has" : "have"}`;
  return [{ sentence: `${who} ${what} free for ${each}.`, short: fitting === 0 }];
}

function whole(ask: Ask, nodes: readonly Node[]): Fit[] {
  const perNode = nodes.map((node) => wholeDevices(node).filter(suits(ask)));
  const frees = perNode.map(
    (devices) => devices.filter((each) => each.gpu_milli_used === 0).length,
  );
  const total = sum(perNode.map((devices) => devices.length));
  if (total === 0) return [noneOf(ask)];
  const largest = Math.max(...frees);
  const free = sum(frees);
  const most = Math.max(...perNode.map((devices) => devices.length));
  const said: Fit[] = [
    {
      sentence: `${free} of ${counted(total, kindOf(ask))} ${free === 1 ? "is" : "are"} free${nodes.length > 1 ? `, at most ${largest} on one node` : ""}.`,
      short: free < ask.gpus,
    },
  ];
  if (most < ask.gpus) {
    const sentence = `No node has ${ask.gpus} ${kindOf(ask)}s for one replica; the largest has ${most}.`;
    return [...said, { sentence, short: true }];
  }
  const slots = sum(frees.map((count) => Math.floor(count / ask.gpus)));
  return [...said, slotsInWords(ask, slots, `${counted(ask.gpus, "GPU")}`)];
}

function parts(
  ask: Ask,
  nodes: readonly Node[],
  what: string,
  slotsOf: (device: Device) => number,
): Fit[] {
  const devices = nodes.flatMap(wholeDevices).filter(suits(ask));
  if (devices.length === 0) return [noneOf(ask)];
  const slots = devices.map((device) => Math.max(0, slotsOf(device)));
  const open = slots.filter((each) => each > 0).length;
  return [
    {
      sentence: `${open} of ${counted(devices.length, kindOf(ask))} ${open === 1 ? "has" : "have"} ${what} free.`,
      short: open === 0,
    },
    slotsInWords(ask, sum(slots), what),
  ];
}

/** Of which size an instance must be, the server knows. */
function cut(ask: Ask, nodes: readonly Node[]): Fit {
  const devices = nodes
    .flatMap((node) => node.devices)
    .filter((each) => each.healthy && each.mig)
    .filter(suits(ask));
  if (devices.length === 0) return { sentence: "No GPU is in MIG mode.", short: true };
  const open = devices.filter(({ room }) => (room ?? []).some(({ count }) => count > 0)).length;
  return {
    sentence: `${open} of ${counted(devices.length, kindOf(ask))} in MIG mode ${open === 1 ? "has" : "have"} slices free.`,
    short: open === 0,
  };
}

function instances(ask: Ask, nodes: readonly Node[]): Fit {
  const devices = nodes
    .flatMap((node) => node.devices)
    .filter((each) => each.healthy)
    .filter(suits(ask));
  const alone = devices.filter((each) => each.mig_profile?.toLowerCase() === ask.profile);
  const free = alone.filter((each) => each.gpu_milli_used === 0).length;
  const rooms = devices
    .flatMap(({ room }) => room ?? [])
    .filter((each) => each.profile.toLowerCase() === ask.profile);
  if (alone.length === 0 && rooms.length === 0) {
    return { sentence: `No GPU can have an instance of ${ask.profile} now.`, short: true };
  }
  const count = free + sum(rooms.map((each) => each.count));
  return {
    sentence: `There is room for ${counted(count, "instance")} of ${ask.profile}.`,
    short: count === 0,
  };
}

function slotsInWords(ask: Ask, slots: number, each: string): Fit {
  const word = ask.array ? "task" : "replica";
  const room = `there is room for ${slots >= ask.replicas ? "all of them" : slots} by GPUs alone`;
  if (ask.replicas === 1) {
    return slots > 0
      ? { sentence: `There is room for its ${each}, by GPUs alone.`, short: false }
      : { sentence: `There is no room for its ${each} now.`, short: true };
  }
  return {
    sentence: `It asks for ${counted(ask.replicas, word)} with ${each} each; ${room}.`,
    short: ask.array ? slots === 0 : slots < ask.replicas,
  };
}

function noneOf(ask: Ask): Fit {
  return {
    sentence:
      ask.types.length > 0
        ? `No node has a GPU of type ${ask.types.join(" or ")}.`
        : "No node has a GPU.",
    short: true,
  };
}

function kindOf(ask: Ask): string {
  return ask.types.length === 1 ? `${ask.types[0]} GPU` : "GPU";
}

function suits({ types }: Ask): (device: Device) => boolean {
  const wanted = new Set(types.map((each) => each.toLowerCase()));
  return (device) => wanted.size === 0 || wanted.has(device.type.toLowerCase());
}

function ready(nodes: readonly Node[]): Node[] {
  return nodes.filter(({ state }) => state === "ready");
}

function wholeDevices({ devices }: Node): Device[] {
  return devices.filter(({ healthy, mig, mig_profile }) => healthy && !mig && mig_profile == null);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
