/** Runs something soon after it was asked for, once for all that asked meanwhile. */
import { useCallback, useEffect, useRef } from "react";

/** `run` may be new at each render; the answer stays the same. */
export function useGathered(run: () => void, afterMs: number): () => void {
  const latest = useRef(run);
  latest.current = run;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    if (timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      latest.current();
    }, afterMs);
  }, [afterMs]);
}
