/** Follows the log of a workload or of one replica, from its last lines on, while looked at. */
import { useEffect, useState, useSyncExternalStore } from "react";
import type { LogLine } from "../../api/types";
import { type Phase, Stream } from "../../stream/stream";
import { LogLines } from "./lines";
import { plain } from "./plain";

const TAIL_LINES = 5_000;
const GATHER_MS = 100;

export type LogPhase = Phase | "ended";

export function useLogs(id: string, rank: number | null) {
  const [kept] = useState(() => new LogLines());
  const [phase, setPhase] = useState<LogPhase>("connecting");
  const lines = useSyncExternalStore(kept.subscribe, kept.snapshot);

  useEffect(() => {
    kept.clear();
    let gathered: LogLine[] = [];
    let anew = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      if (anew) kept.clear();
      anew = false;
      kept.add(gathered);
      gathered = [];
    };
    const stream = new Stream({
      url: () => {
        // An address opened anew tells its last lines again; until it does, those here stay.
        gathered = [];
        anew = true;
        const one = rank === null ? "" : `&rank=${rank}`;
        return `/api/v1/workloads/${encodeURIComponent(id)}/logs?follow=true&tail=${TAIL_LINES}${one}`;
      },
      events: {
        lines: (data) => {
          for (const line of data as LogLine[]) {
            gathered.push({ ...line, text: plain(line.text) });
          }
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

  // Of each replica the last lines were asked for; where so many came, there may be earlier ones.
  const mayLack = kept.dropped > 0 || kept.longest >= TAIL_LINES;
  return { lines, mayLack, phase };
}
