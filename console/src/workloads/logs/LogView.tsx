/** The lines, as many as there are: it follows their end until the reader scrolls up. */
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTimeZone } from "../../time/zone";
import { isSimple } from "./columns";
import { Heights } from "./heights";
import { LogRow } from "./LogRow";
import { type LogBuffer, placeOf, placeRead } from "./lines";
import classes from "./logs.module.css";
import type { LogSession, LogStatus } from "./session";
import { useColumns } from "./useColumns";

const ROW_PIXELS = 20;
const PADDING_PIXELS = 8;
const AT_END_PIXELS = 24;
const OVERSCAN_ROWS = 24;
/** So near to an edge, what lies beyond it is read. */
const NEAR_PIXELS = 2_000;

interface Props {
  session: LogSession;
  buffer: LogBuffer;
  status: LogStatus;
  /** Grows with each change of the buffer. */
  version: number;
  /** Whether each line says whose it is, and in how many letters. */
  ranked: boolean;
  rankLetters: number;
  wrap: boolean;
  times: boolean;
  words: string;
  /** The line looked at. `asked` grows each time that it is to be brought into sight. */
  chosen: { place: string; asked: number } | null;
  onPoint: (place: string) => void;
}

export function LogView(props: Props) {
  const { session, buffer, status, version, ranked, rankLetters, wrap, times, words } = props;
  const { chosen, onPoint } = props;
  const scroll = useRef<HTMLDivElement>(null);
  const lastTop = useRef(0);
  const anchor = useRef<{ number: number; pixels: number } | null>(null);
  /** How many lines had come when the reader left the end; null while they are there. */
  const gone = useRef<number | null>(null);
  const [heights] = useState(() => new Heights());
  const [top, setTop] = useState(0);
  const [following, setFollowing] = useState(chosen === null);
  const [, setCorrected] = useState(0);
  const zone = useTimeZone();
  const { probe, columns, height } = useColumns(scroll);

  heights.follow(buffer, wrap ? columns : 0);
  const size = heights.rows * ROW_PIXELS + 2 * PADDING_PIXELS;

  const follow = useCallback(
    (next: boolean) => {
      setFollowing(next);
      session.followingSet(next);
      if (next) gone.current = null;
    },
    [session],
  );

  const pixelsOf = (index: number) => PADDING_PIXELS + heights.top(index) * ROW_PIXELS;
  const lineAt = (pixels: number) =>
    heights.at(Math.max(0, Math.floor((pixels - PADDING_PIXELS) / ROW_PIXELS)));

  function hold(element: HTMLElement): void {
    const index = lineAt(element.scrollTop);
    anchor.current = {
      number: buffer.first + index,
      pixels: element.scrollTop - pixelsOf(index),
    };
  }

  // What comes, goes or is wrapped anew moves no reader: the line at the top stays where it is.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it runs with what changes the lines.
  useLayoutEffect(() => {
    const element = scroll.current;
    if (!element) return;
    if (following) {
      element.scrollTop = element.scrollHeight;
    } else if (anchor.current) {
      const index = anchor.current.number - buffer.first;
      if (index >= 0 && index < buffer.lines.length) {
        element.scrollTop = pixelsOf(index) + anchor.current.pixels;
      }
    }
    lastTop.current = element.scrollTop;
    setTop(element.scrollTop);
  }, [version, size, wrap, columns, following, height]);

  const sought = useRef(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each time that it is asked for.
  useEffect(() => {
    const element = scroll.current;
    const place = chosen && placeRead(chosen.place);
    if (!element || !place || sought.current === chosen.asked) return;
    const index = buffer.indexOf(place);
    if (index < 0) return;
    sought.current = chosen.asked;
    gone.current ??= buffer.appended;
    follow(false);
    const middle = (height - heights.height(index) * ROW_PIXELS) / 2;
    element.scrollTop = Math.max(0, pixelsOf(index) - Math.max(0, middle));
    hold(element);
    setTop(element.scrollTop);
  }, [chosen, version]);

  const firstRow = heights.at(Math.floor(top / ROW_PIXELS) - OVERSCAN_ROWS);
  const lastRow = heights.at(Math.ceil((top + height) / ROW_PIXELS) + OVERSCAN_ROWS);
  const shown = buffer.lines
    .slice(firstRow, lastRow + 1)
    .map((line, at) => ({ line, index: firstRow + at, number: buffer.first + firstRow + at }));

  const block = useRef<HTMLDivElement>(null);
  // Letters of other scripts are as wide as their font has them, which only the screen knows.
  useLayoutEffect(() => {
    if (!wrap) return;
    let off = false;
    for (const child of block.current?.children ?? []) {
      const index = Number((child as HTMLElement).dataset.index);
      const line = buffer.lines[index];
      if (!line || isSimple(line.text)) continue;
      const rows = Math.round((child as HTMLElement).offsetHeight / ROW_PIXELS);
      off = heights.correct(index, rows) || off;
    }
    if (off) setCorrected((count) => count + 1);
  });

  function scrolled(element: HTMLElement): void {
    const { scrollTop, scrollHeight, clientHeight } = element;
    const left = scrollHeight - scrollTop - clientHeight;
    const atEnd = left < AT_END_PIXELS && !status.apart;
    const goesUp = scrollTop < lastTop.current - 1;
    const follows = atEnd || (following && !goesUp);
    if (follows !== following) {
      if (!follows) gone.current = buffer.appended;
      follow(follows);
    }
    lastTop.current = scrollTop;
    hold(element);
    setTop(scrollTop);
    if (scrollTop < NEAR_PIXELS && !follows) session.loadOlder();
    if (left < NEAR_PIXELS && status.apart) session.loadNewer();
  }

  const written = gone.current === null ? 0 : buffer.appended - gone.current;
  const style = {
    "--rank-letters": rankLetters,
    "--columns": wrap ? columns : Math.max(heights.widest, 1),
  } as React.CSSProperties;
  return (
    <div className={classes.logs} style={style}>
      <div
        ref={scroll}
        className={classes.scroll}
        data-wrap={wrap || undefined}
        role="log"
        aria-label="Log"
        // A log that streams would be read out without end.
        aria-live="off"
        aria-busy={status.reading || undefined}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys.
        tabIndex={0}
        onScroll={({ currentTarget }) => scrolled(currentTarget)}
        onWheel={({ currentTarget, deltaY }) => {
          // At the very beginning nothing scrolls, and yet one asks for more.
          if (deltaY < 0 && currentTarget.scrollTop === 0) session.loadOlder();
        }}
      >
        <div className={classes.line} ref={probe} aria-hidden data-probe>
          <span className={classes.margin}>
            <span>
              {times && <span className={classes.time}>00:00:00</span>}
              {ranked && <span className={classes.rank}>0</span>}
              {!times && !ranked && <span className={classes.dot}>·</span>}
            </span>
          </span>
          <span className={classes.text}>
            <span>{"0".repeat(100)}</span>
          </span>
        </div>
        <div className={classes.size} style={{ height: size }}>
          <div
            ref={block}
            className={classes.block}
            style={{ transform: `translateY(${pixelsOf(firstRow)}px)` }}
          >
            {shown.map(({ line, index, number }) => (
              <LogRow
                key={number}
                line={line}
                index={index}
                ranked={ranked}
                times={times}
                zone={zone}
                words={words}
                chosen={chosen !== null && placeOf(line) === chosen.place}
                onPoint={onPoint}
              />
            ))}
          </div>
        </div>
      </div>
      {(!following || status.apart) && buffer.lines.length > 0 && (
        <button
          type="button"
          className={classes.latest}
          onClick={() => {
            follow(true);
            if (status.apart) session.latest();
          }}
        >
          Jump to latest
          {written > 0 && ` · ${written.toLocaleString("en")} new`}
        </button>
      )}
    </div>
  );
}
