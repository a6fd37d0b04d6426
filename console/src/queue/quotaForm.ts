/** What stands in the form of a quota, and the request it makes. Pure. */
import type { Counted, QuotaRequest, Quotas } from "../api/types";
import { ALL, type Share } from "./shares";

export interface GpuTexts {
  guarantee: string;
  limit: string;
  /** What one person may hold at most. */
  each: string;
}

export interface QuotaTexts {
  weight: string;
  /** By GPU type; an empty text sets nothing. */
  gpus: Record<string, GpuTexts>;
  /** Limits of what is no GPU, in the units of `counted`. */
  ceilings: Partial<Record<Counted, string>>;
}

export const noTexts: GpuTexts = { guarantee: "", limit: "", each: "" };

const GIB = 2 ** 30;

/** What a quota limits beside GPUs, and how many of the server's units one of the form's is. */
export const counted: Record<Counted, { label: string; unit: string; size: number }> = {
  cpu_milli: { label: "CPU", unit: "cores", size: 1000 },
  memory_bytes: { label: "Memory", unit: "GiB", size: GIB },
  mig_slices: { label: "MIG slices", unit: "", size: 1 },
  workspaces: { label: "Workspaces", unit: "at once", size: 1 },
  storage_bytes: { label: "Storage", unit: "GiB", size: GIB },
};

/** All types together, then those that are there or have something set. */
export function quotaTypes(share: Share, quotas: Quotas): string[] {
  const types = new Set([
    ...quotas.capacity.map(({ gpu_type }) => gpu_type),
    ...share.gpus.map(({ gpu_type }) => gpu_type).filter((each) => each !== ALL),
  ]);
  return [ALL, ...[...types].sort()];
}

export function quotaTexts(share: Share, quotas: Quotas): QuotaTexts {
  const gpus: QuotaTexts["gpus"] = {};
  const inGpus = (milli: number | null | undefined) => (milli == null ? "" : String(milli / 1000));
  for (const type of quotaTypes(share, quotas)) {
    const set = share.gpus.find(({ gpu_type }) => gpu_type === type);
    gpus[type] = {
      guarantee: set && set.set_guarantee_milli > 0 ? inGpus(set.set_guarantee_milli) : "",
      limit: inGpus(set?.limit_milli),
      each: inGpus(set?.per_user_milli),
    };
  }
  const ceilings: QuotaTexts["ceilings"] = {};
  for (const { counted: name, limit } of share.counted ?? []) {
    ceilings[name] = limit === null ? "" : String(limit / counted[name].size);
  }
  return { weight: String(share.weight), gpus, ceilings };
}

const AMOUNT = /^\d+([.,]\d{1,3})?$/;

/** The request, or what is wrong by field, named as the server names them. */
export function quotaRequest(
  texts: QuotaTexts,
): { request: QuotaRequest } | { faults: Record<string, string> } {
  const faults: Record<string, string> = {};
  const amount = (field: string, text: string, size: number, wish: string): number | null => {
    const written = text.trim();
    if (written === "") return null;
    if (!(size === 1 ? /^\d+$/ : AMOUNT).test(written)) {
      faults[field] = wish;
      return null;
    }
    return Math.round(Number(written.replace(",", ".")) * size);
  };
  const inGpus = (field: string, text: string) =>
    amount(field, text, 1000, "Write a number of GPUs, like 8 or 0.5.");
  const gpus: NonNullable<QuotaRequest["gpus"]> = {};
  for (const [type, { guarantee, limit, each }] of Object.entries(texts.gpus)) {
    const guarantee_milli = inGpus(`gpus.${type}.guarantee_milli`, guarantee) ?? 0;
    const limit_milli = inGpus(`gpus.${type}.limit_milli`, limit);
    const per_user_milli = inGpus(`gpus.${type}.per_user_milli`, each);
    if (guarantee_milli > 0 || limit_milli !== null || per_user_milli !== null) {
      gpus[type] = { guarantee_milli, limit_milli, per_user_milli };
    }
  }
  const ceilings: NonNullable<QuotaRequest["ceilings"]> = {};
  for (const [name, text] of Object.entries(texts.ceilings) as [Counted, string][]) {
    const { size } = counted[name];
    const wish = size === 1 ? "Write a whole number, like 4." : "Write a number, like 64.";
    const found = amount(`ceilings.${name}`, text, size, wish);
    if (found !== null) ceilings[name] = found;
  }
  const weight = texts.weight.trim();
  if (!/^\d+$/.test(weight)) faults.weight = "Write a whole number; 1 is usual.";
  if (Object.keys(faults).length > 0) return { faults };
  return { request: { weight: Number(weight), gpus, ceilings } };
}
