/** The facts behind a reason to wait, as a person would say them. Pure; Waiting shows them. */
import type { Refusal } from "../../api/types";

type Evidence = NonNullable<Refusal["evidence"]>[number];

export interface Fact {
  name: string;
  value: string;
  /** The node that it is about. */
  node?: string;
}

const names: Record<string, string> = {
  gpus_free: "GPUs free",
  gpus_total: "GPUs in all",
  gpus_free_on_one_node: "Most free on one node",
  gpus_on_largest_node: "GPUs of the largest node",
  gpu_type: "GPU types here",
  gpu_memory_largest: "Largest GPU memory",
  cpus_free: "CPUs free",
  cpus_total: "CPUs in all",
  memory_free: "Memory free",
  memory_total: "Memory in all",
  largest_node_has: "The largest node has",
  replicas_that_fit: "Replicas that fit",
  replicas_together: "Replicas that fit together",
  node_label: "Needs the label",
  node_state: "Node",
  gpu_unhealthy: "Unhealthy GPU",
  dependencies_open: "Workloads it waits for",
  holders: "Workloads that use them",
};

/** What is free stands with what there is in all: "3 of 8". */
const wholes: Record<string, string> = {
  gpus_free: "gpus_total",
  cpus_free: "cpus_total",
  memory_free: "memory_total",
};

export function factsOf(evidence: readonly Evidence[]): Fact[] {
  const totals = new Map(evidence.map(({ fact, value, subject }) => [`${fact} ${subject}`, value]));
  const facts = new Map<string, Fact>();
  // Where all of them are named, their count says nothing more.
  const count = Number(evidence.find(({ fact }) => fact === "holders")?.value);
  const named = holdersOf(evidence).length >= count;
  for (const { fact, value, subject = "" } of evidence) {
    if (fact === "holder" || (fact === "holders" && named) || isToldWithPart(fact, subject, totals))
      continue;
    const whole = totals.get(`${wholes[fact]} ${subject}`);
    const name = names[fact] ?? inWords(fact);
    const said = whole ? `${value} of ${whole}` : value;
    const key = `${fact} ${subject}`;
    const held = facts.get(key);
    // Of the same fact several values are one line: types, labels.
    if (held) held.value = `${held.value}, ${said}`;
    else facts.set(key, { name, value: said, ...(subject && { node: subject }) });
  }
  return [...facts.values()];
}

function isToldWithPart(fact: string, subject: string, all: ReadonlyMap<string, string>): boolean {
  const part = Object.keys(wholes).find((each) => wholes[each] === fact);
  return part !== undefined && all.has(`${part} ${subject}`);
}

export function holdersOf(evidence: readonly Evidence[]): string[] {
  return evidence.filter(({ fact }) => fact === "holder").map(({ value }) => value);
}

const abbreviations: Record<string, string> = {
  gpu: "GPU",
  gpus: "GPUs",
  cpu: "CPU",
  cpus: "CPUs",
  mig: "MIG",
};

/** gpus_free → GPUs free */
function inWords(fact: string): string {
  const text = fact
    .split("_")
    .map((word) => abbreviations[word] ?? word)
    .join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
