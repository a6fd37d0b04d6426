/** What would become of the draft if it were submitted now. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ProblemError } from "../api/problem";
import type { DryRun } from "../api/types";
import { type Fault, faultsOf } from "./faults";
import { dryRun } from "./queries";

const REREAD_MS = 20_000;

export interface Foretold {
  /** The last answer, which stays while the next is on its way. */
  found: DryRun | null;
  /** True while what is shown is about an earlier text. */
  stale: boolean;
  /** What only the store knows to be wrong: a secret that is not there, a name to wait for. */
  faults: readonly Fault[];
}

/** `text` is one that was checked; null asks nothing, and keeps the last answer. */
export function useDryRun(text: string | null): Foretold {
  const { data, error, isPlaceholderData, isFetching } = useQuery({
    queryKey: ["dry-run", text],
    queryFn: ({ signal }) => dryRun(text ?? "", signal),
    enabled: text !== null,
    placeholderData: keepPreviousData,
    refetchInterval: REREAD_MS,
    retry: (count, failure) => count < 3 && !(failure instanceof ProblemError && isFinal(failure)),
    staleTime: 5_000,
  });
  return {
    found: error && !isPlaceholderData ? null : (data ?? null),
    stale: text === null || (isPlaceholderData && isFetching),
    faults: text === null ? [] : faultsOf(error),
  };
}

/** Too many at once is no answer about the draft. */
function isFinal({ status }: ProblemError): boolean {
  return status < 500 && status !== 429;
}
