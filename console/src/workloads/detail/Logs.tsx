/** The log, live: it follows its end until the reader scrolls up, and then stays there. */
import { NumberInput } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import type { WorkloadDetail } from "../../api/types";
import { counted } from "../../quantity/words";
import { exactUtc } from "../../time/words";
import { isEnded } from "../state";
import classes from "./detail.module.css";
import type { LogLine } from "./lines";
import { useLogs } from "./useLogs";

const LINE_PIXELS = 20;
const AT_END_PIXELS = 24;

/** The server follows so many replicas at once; of more, one is chosen. */
const FOLLOWED_MAX = 256;

export function Logs({ workload }: { workload: WorkloadDetail }) {
  const { total } = workload.replicas;
  const [rank, setRank] = useState<number | null>(total > FOLLOWED_MAX ? 0 : null);
  return (
    <>
      {total > 1 && (
        <RankChoice
          total={total}
          all={total <= FOLLOWED_MAX}
          rank={rank}
          onChange={setRank}
          word={workload.array ? "Task" : "Replica"}
        />
      )}
      <LogLinesView workload={workload} rank={rank} />
    </>
  );
}

interface RankChoiceProps {
  total: number;
  all: boolean;
  rank: number | null;
  onChange: (rank: number | null) => void;
  word: string;
}

function RankChoice({ total, all, rank, onChange, word }: RankChoiceProps) {
  return (
    <div className={classes.rankChoice}>
      {word}
      <NumberInput
        size="xs"
        aria-label={word}
        w={96}
        min={0}
        max={total - 1}
        placeholder="All"
        allowDecimal={false}
        value={rank ?? ""}
        onChange={(next) => onChange(typeof next === "number" ? next : all ? null : 0)}
      />
      <span className={classes.rankRange}>
        {all ? `0 to ${total - 1}; empty for all` : `0 to ${total - 1}`}
      </span>
    </div>
  );
}

function LogLinesView({ workload, rank }: { workload: WorkloadDetail; rank: number | null }) {
  const { lines, dropped, phase } = useLogs(workload.id, rank);
  if (lines.length === 0) {
    const words = isEnded(workload.state)
      ? "It wrote nothing."
      : "Nothing written yet. Lines show here as soon as it writes them.";
    return <p className={classes.note}>{phase === "connecting" ? "" : words}</p>;
  }
  return (
    <>
      {dropped > 0 && (
        <p className={classes.note}>{counted(dropped, "earlier line")} no longer shown here.</p>
      )}
      <LogView lines={lines} ranked={workload.replicas.total > 1 && rank === null} />
    </>
  );
}

function LogView({ lines, ranked }: { lines: readonly LogLine[]; ranked: boolean }) {
  const scroll = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => LINE_PIXELS,
    overscan: 20,
  });

  useEffect(() => {
    if (following) rows.scrollToIndex(lines.length - 1, { align: "end" });
  }, [following, lines.length, rows]);

  return (
    <div className={classes.logs}>
      <div
        ref={scroll}
        className={classes.logScroll}
        role="log"
        aria-label="Log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys.
        tabIndex={0}
        onWheel={(event) => {
          if (event.deltaY < 0) setFollowing(false);
        }}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          if (scrollHeight - scrollTop - clientHeight < AT_END_PIXELS) setFollowing(true);
        }}
        onKeyDown={(event) => {
          if (["ArrowUp", "PageUp", "Home"].includes(event.key)) setFollowing(false);
        }}
        onTouchMove={() => setFollowing(false)}
      >
        <div className={classes.logSize} style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const line = lines[index];
            return (
              line && (
                <div
                  key={index}
                  data-index={index}
                  ref={rows.measureElement}
                  className={classes.line}
                  data-stream={line.stream}
                  style={{ transform: `translateY(${start}px)` }}
                >
                  {line.at && (
                    <time dateTime={line.at} title={exactUtc(line.at)}>
                      {new Date(line.at).toLocaleTimeString("en-GB")}
                    </time>
                  )}
                  {ranked && <span className={classes.rank}>{line.rank}</span>}
                  <span className={classes.text}>{line.text}</span>
                </div>
              )
            );
          })}
        </div>
      </div>
      {!following && (
        <button type="button" className={classes.follow} onClick={() => setFollowing(true)}>
          Go to the end
        </button>
      )}
    </div>
  );
}
