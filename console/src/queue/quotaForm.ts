/** What stands in the form of a quota, and the request it makes. Pure. */
import type { QuotaRequest, Quotas } from "../api/types";
import { ALL, type Share } from "./shares";

export interface QuotaTexts {
  weight: string;
  /** By GPU type; an empty text sets nothing. */
  gpus: Record<string, { guarantee: string; limit: string }>;
}

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
  for (const type of quotaTypes(share, quotas)) {
    const set = share.gpus.find(({ gpu_type }) => gpu_type === type);
    gpus[type] = {
      guarantee: set && set.set_guarantee_milli > 0 ? String(set.set_guarantee_milli / 1000) : "",
      limit: set && set.limit_milli !== null ? String(set.limit_milli / 1000) : "",
    };
  }
  return { weight: String(share.weight), gpus };
}

const AMOUNT = /^\d+([.,]\d{1,3})?$/;

/** The request, or what is wrong by field, named as the server names them. */
export function quotaRequest(
  texts: QuotaTexts,
): { request: QuotaRequest } | { faults: Record<string, string> } {
  const faults: Record<string, string> = {};
  const amount = (field: string, text: string): number | null => {
    const written = text.trim();
    if (written === "") return null;
    if (!AMOUNT.test(written)) {
      faults[field] = "Write a number of GPUs, like 8 or 0.5.";
      return null;
    }
    return Math.round(Number(written.replace(",", ".")) * 1000);
  };
  const gpus: NonNullable<QuotaRequest["gpus"]> = {};
  for (const [type, { guarantee, limit }] of Object.entries(texts.gpus)) {
    const guarantee_milli = amount(`gpus.${type}.guarantee_milli`, guarantee) ?? 0;
    const limit_milli = amount(`gpus.${type}.limit_milli`, limit);
    if (guarantee_milli > 0 || limit_milli !== null) gpus[type] = { guarantee_milli, limit_milli };
  }
  const weight = texts.weight.trim();
  if (!/^\d+$/.test(weight)) faults.weight = "Write a whole number; 1 is usual.";
  if (Object.keys(faults).length > 0) return { faults };
  return { request: { weight: Number(weight), gpus } };
}
