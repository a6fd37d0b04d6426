/** Checks what is written by the server's own rules, a moment after the last key. */
import { useEffect, useRef, useState } from "react";
import { isSignedOut, ProblemError } from "../api/problem";
import { type Fault, faultsOf } from "./faults";
import { specCheck } from "./queries";

export const CHECK_AFTER_MS = 250;

export interface Check {
  state: "checking" | "right" | "faulty" | "unreachable";
  faults: readonly Fault[];
  /** With every default; of the last text that was right. */
  resolved: Record<string, unknown> | null;
  /** Why it could not be checked. */
  trouble: string;
}

const BEGIN: Check = { state: "checking", faults: [], resolved: null, trouble: "" };

/** Nothing is asked of a text that is broken (`null`); what was known of it before stays. */
export function useCheck(text: string | null): Check & { again: () => void } {
  const [check, setCheck] = useState(BEGIN);
  const [round, setRound] = useState(0);
  const first = useRef(true);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another round checks the same text.
  useEffect(() => {
    if (text === null) return;
    const leaving = new AbortController();
    const timer = setTimeout(
      async () => {
        first.current = false;
        try {
          // Of nothing at all the server would only say that there is nothing.
          const resolved = await specCheck(text.trim() === "" ? "{}" : text, leaving.signal);
          setCheck({ state: "right", faults: [], resolved, trouble: "" });
        } catch (error) {
          if (leaving.signal.aborted) return;
          setCheck((before) => failed(before, error));
        }
      },
      first.current ? 0 : CHECK_AFTER_MS,
    );
    setCheck((before) => ({ ...before, state: "checking" }));
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [text, round]);

  return { ...check, again: () => setRound((each) => each + 1) };
}

function failed(before: Check, error: unknown): Check {
  const faults = faultsOf(error);
  if (faults.length > 0) return { ...before, state: "faulty", faults, trouble: "" };
  if (error instanceof ProblemError && !isSignedOut(error) && error.status < 500) {
    const fault = { field: "", message: error.message, remedy: "" };
    return { ...before, state: "faulty", faults: [fault], trouble: "" };
  }
  const trouble = error instanceof Error ? error.message : "It could not be checked.";
  return { ...before, state: "unreachable", faults: [], trouble };
}
