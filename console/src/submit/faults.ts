/** Faults of a spec as the server names them, sorted by whether they are wrong or only to come. */
import { ProblemError } from "../api/problem";
import type { ProblemDocument } from "../api/types";

export type Fault = NonNullable<ProblemDocument["faults"]>[number];

export function faultsOf(error: unknown): Fault[] {
  if (!(error instanceof ProblemError)) return [];
  return (error.problem.faults ?? []).map((each) => ({
    ...each,
    field: each.field === "body" ? "" : each.field,
  }));
}

/** "is 0." and "Leave it out." → "Is 0. Leave it out." */
export function faultInWords({ message, remedy }: Pick<Fault, "message" | "remedy">): string {
  const text = [message, remedy].filter(Boolean).join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Whether a fault only says that something was not written yet. */
export function isToCome({ message }: Pick<Fault, "message">): boolean {
  return message === "is missing.";
}

/** Whether a fault is of a field, or of something within it. */
export function isWithin(fault: string, field: string): boolean {
  return fault === field || fault.startsWith(`${field}.`);
}

export function lineInWords(message: string): number | null {
  const found = /\bline (\d+)/i.exec(message);
  return found ? Number(found[1]) : null;
}
