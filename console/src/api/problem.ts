/** Failures of a request, in words that a person can act on. */
import type { ProblemDocument } from "./types";

export class ProblemError extends Error {
  override name = "ProblemError";

  constructor(
    readonly status: number,
    readonly problem: Partial<ProblemDocument>,
  ) {
    super(problem.detail || problem.title || `The server answered ${status}.`);
  }
}

export class UnreachableError extends Error {
  override name = "UnreachableError";

  constructor(cause: unknown) {
    super("The server cannot be reached.", { cause });
  }
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 401;
}

/** The message that stands at a field, when the server named one. */
export function faultAt(error: unknown, field: string): string | null {
  if (!(error instanceof ProblemError)) return null;
  const fault = error.problem.faults?.find((each) => each.field === field);
  return fault ? [fault.message, fault.remedy].filter(Boolean).join(" ") : null;
}
