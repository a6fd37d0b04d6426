/** One line of a log: when, whose, and what. Its margin is a link to it. */
import { memo } from "react";
import { seriesColours } from "../../charts/colours";
import { clockInWords, exactTimes } from "../../time/words";
import { type HeldLine, placeOf } from "./lines";
import classes from "./logs.module.css";
import { piecesOf } from "./search";

interface Props {
  line: HeldLine;
  index: number;
  ranked: boolean;
  times: boolean;
  zone: string;
  words: string;
  /** It is the one found, or the one that the address names. */
  chosen: boolean;
  onPoint: (place: string) => void;
}

export const LogRow = memo(function LogRow(props: Props) {
  const { line, index, ranked, times, zone, words, chosen, onPoint } = props;
  const place = placeOf(line);
  const iso = line.at === null ? null : new Date(line.at).toISOString();
  return (
    <div
      className={classes.line}
      data-index={index}
      data-stream={line.stream}
      data-chosen={chosen || undefined}
    >
      {/* A mouse's way, of which every line has one; the keyboard has the search, and n and N. */}
      <span aria-hidden className={classes.margin}>
        <a
          href={addressOf(place)}
          tabIndex={-1}
          title={iso ? `Link to this line\n${exactTimes(iso, zone)}` : "Link to this line"}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            onPoint(place);
          }}
        >
          {times && <span className={classes.time}>{iso && clockInWords(iso, zone)}</span>}
          {ranked && (
            <span className={classes.rank} style={{ borderColor: rankColour(line.rank) }}>
              {line.rank}
            </span>
          )}
          {!times && !ranked && <span className={classes.dot}>·</span>}
        </a>
      </span>
      {line.stream === "err" && <span className={classes.hidden}>standard error: </span>}
      <span className={classes.text}>
        {piecesOf(line.text, words, line.spans).map(({ text, found, span }, at) => {
          if (!found && !span) return text;
          const look = span && {
            "data-fg": span.fg,
            "data-bg": span.bg,
            "data-bold": span.bold,
            "data-dim": span.dim,
            "data-italic": span.italic,
            "data-underline": span.underline,
          };
          const Piece = found ? "mark" : "span";
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a piece has no name but its place.
            <Piece key={at} {...look}>
              {text}
            </Piece>
          );
        })}
      </span>
    </div>
  );
});

function addressOf(place: string): string {
  const search = new URLSearchParams(window.location.search);
  search.set("line", place);
  return `?${search}`;
}

/** The same rank has the same colour in the log, in its legend and in curves of few ranks. */
export function rankColour(rank: number): string {
  const shades = seriesColours[rank % seriesColours.length];
  return shades ? `light-dark(${shades.light}, ${shades.dark})` : "transparent";
}
