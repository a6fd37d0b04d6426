/** Follows the log of a workload or of one replica, from its last lines on, while looked at. */
import { useEffect, useState, useSyncExternalStore } from "react";
import { type Phase, Stream } from "../../stream/stream";
import { type LogLine, LogLines } from "./lines";

const TAIL_LINES = 1_000;
const GATHER_MS = 100;

export type LogPhase = Phase | "ended";

export function useLogs(id: string, rank: number | null) {
  const [kept] = useState(() => new LogLines());
  const [phase, setPhase] = useState<LogPhase>("connecting");
  const lines = useSyncExternalStore(kept.subscribe, kept.snapshot);

  useEffect(() => {
    let gathered: LogLine[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      kept.add(gathered);
      gathered = [];
    };
    const stream = new Stream({
      url: () => {
        // An address opened anew tells its last lines again.
        gathered = [];
        kept.clear();
        const one = rank === null ? "" : `&rank=${rank}`;
        return `/api/v1/workloads/${encodeURIComponent(id)}/logs?follow=true&tail=${TAIL_LINES}${one}`;
      },
      events: {
        lines: (data) => {
          gathered.push(...(data as LogLine[]));
          timer ??= setTimeout(flush, GATHER_MS);
        },
        end: (_data, self) => {
          self.stop();
          setPhase("ended");
        },
      },
      onStatus: (status) => setPhase(status.phase),
    });
    stream.start();
    return () => {
      stream.stop();
      clearTimeout(timer);
    };
  }, [id, rank, kept]);

  return { lines, dropped: kept.dropped, phase };
}
