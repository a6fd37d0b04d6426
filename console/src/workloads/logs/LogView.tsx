/** The lines, as many as there are: it follows their end until the reader scrolls up. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { LogLine } from "../../api/types";
import { exactUtc } from "../../time/words";
import classes from "./logs.module.css";
import { piecesOf } from "./search";

const LINE_PIXELS = 20;
const AT_END_PIXELS = 24;

interface Props {
  lines: readonly LogLine[];
  /** Whether each line says whose it is. */
  ranked: boolean;
  wrap: boolean;
  times: boolean;
  words: string;
  chosen: LogLine | null;
}

export function LogView({ lines, ranked, wrap, times, words, chosen }: Props) {
  const scroll = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => LINE_PIXELS,
    overscan: 20,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: lines change their height with them.
  useLayoutEffect(() => rows.measure(), [wrap, times, rows]);

  useEffect(() => {
    if (following) rows.scrollToIndex(lines.length - 1, { align: "end" });
  }, [following, lines.length, rows]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: lines that come later move no reader.
  useEffect(() => {
    const at = chosen ? lines.indexOf(chosen) : -1;
    if (at < 0) return;
    setFollowing(false);
    rows.scrollToIndex(at, { align: "center" });
  }, [chosen, rows]);

  return (
    <div className={classes.logs}>
      <div
        ref={scroll}
        className={classes.scroll}
        data-wrap={wrap || undefined}
        role="log"
        aria-label="Log"
        // A log that streams would be read out without end.
        aria-live="off"
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
        <div className={classes.size} style={{ height: rows.getTotalSize() }}>
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
                  data-chosen={line === chosen || undefined}
                  style={{ transform: `translateY(${start}px)` }}
                >
                  {times && line.at && (
                    <time dateTime={line.at} title={exactUtc(line.at)}>
                      {new Date(line.at).toLocaleTimeString("en-GB")}
                    </time>
                  )}
                  {ranked && <span className={classes.rank}>{line.rank}</span>}
                  <Text text={line.text} words={words} />
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

function Text({ text, words }: { text: string; words: string }) {
  return (
    <span className={classes.text}>
      {piecesOf(text, words).map((piece, at) =>
        piece.found ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: a piece has no name but its place.
          <mark key={at}>{piece.text}</mark>
        ) : (
          piece.text
        ),
      )}
    </span>
  );
}
