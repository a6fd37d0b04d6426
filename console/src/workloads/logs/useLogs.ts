/** Reads the log of a workload while it is looked at; see session.ts. */
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { LogOf } from "./queries";
import { LogSession } from "./session";

/** Begins around `place` if there is one; later places are gone to with `session.goTo`. */
export function useLogs({ id, ranks, attempt }: LogOf, place: string | null) {
  const asked = ranks.join(" ");
  const session = useMemo(
    () => new LogSession({ id, ranks: asked === "" ? [] : asked.split(" ").map(Number), attempt }),
    [id, asked, attempt],
  );
  const [first] = useState(place);
  useEffect(() => {
    session.start(first);
    return () => session.stop();
  }, [session, first]);
  const status = useSyncExternalStore(session.subscribe, session.snapshot);
  const version = useSyncExternalStore(session.buffer.subscribe, session.buffer.snapshot);
  return { session, buffer: session.buffer, status, version };
}
