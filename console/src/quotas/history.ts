/** A change of a quota in words. Pure. */
import type { Counted, QuotaChange } from "../api/types";
import { milliInWords } from "../quantity/words";
import { counted } from "../queue/quotaForm";
import { typeInWords } from "../queue/shares";
import { countedInWords } from "./CountedTable";

const parts: [field: string, words: string, none: string][] = [
  ["guarantees", "guaranteed", "nothing"],
  ["limits", "at most", "no limit"],
  ["per_user", "per person", "no cap"],
];

/** "H100 guaranteed: nothing → 8" for each part that is another. */
export function changesInWords({ before, after }: QuotaChange): string[] {
  const found: string[] = [];
  const say = (name: string, one: string, other: string) => {
    if (one !== other) found.push(`${name}: ${one} → ${other}`);
  };
  say("Weight", String(before?.weight ?? 1), String(after?.weight ?? 1));
  for (const [field, words, none] of parts) {
    const [was, is] = [amountsOf(before, field), amountsOf(after, field)];
    for (const type of [...new Set([...Object.keys(was), ...Object.keys(is)])].sort()) {
      const said = (milli: number | undefined) =>
        milli === undefined ? none : milliInWords(milli);
      say(`${typeInWords(type)} ${words}`, said(was[type]), said(is[type]));
    }
  }
  const [had, has] = [ceilingsOf(before), ceilingsOf(after)];
  for (const name of Object.keys(counted) as Counted[]) {
    const words = (value: number | undefined) =>
      value === undefined ? "no limit" : countedInWords(name, value);
    say(counted[name].label, words(had[name]), words(has[name]));
  }
  return found;
}

type Amounts = Record<string, number>;

function amountsOf(quota: QuotaChange["before"], field: string): Amounts {
  return (quota?.[field] as Amounts | undefined) ?? {};
}

function ceilingsOf(quota: QuotaChange["before"]): Partial<Record<Counted, number>> {
  return amountsOf(quota, "ceilings");
}
