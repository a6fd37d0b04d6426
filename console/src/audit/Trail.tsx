/** The entries, newest first and by day: who did what, to which, where, when, and how it went. */
import { Link } from "@tanstack/react-router";
import { Fragment, type MouseEvent, memo, useMemo } from "react";
import type { AuditEntry } from "../api/types";
import { useClock } from "../time/clock";
import { clockInWords, exactTimes } from "../time/words";
import { useTimeZone } from "../time/zone";
import classes from "./audit.module.css";
import { dayInWords, dayKey, daysOf } from "./days";
import { AllowedIcon, RefusedIcon } from "./icons";
import type { AuditSearch } from "./search";
import { changed } from "./useAuditSearch";
import { didInWords, gistInWords, whoInWords } from "./words";

interface Props {
  entries: readonly AuditEntry[];
  open: string | undefined;
  onOpen: (seq: string) => void;
}

export function Trail({ entries, open, onOpen }: Props) {
  const zone = useTimeZone();
  const days = useMemo(() => daysOf(entries, zone), [entries, zone]);
  const today = useClock((now) => dayKey(now, zone));
  return (
    <table className={classes.trail} aria-label="Entries">
      <thead>
        <tr>
          <th scope="col" data-column="at">
            Time
          </th>
          <th scope="col" data-column="who">
            Who
          </th>
          <th scope="col" data-column="did">
            Did
          </th>
          <th scope="col" data-column="subject">
            To
          </th>
          <th scope="col" data-column="gist">
            Detail
          </th>
          <th scope="col" data-column="project">
            Project
          </th>
          <th scope="col" data-column="source">
            From
          </th>
          <th scope="col" data-column="outcome">
            Outcome
          </th>
        </tr>
      </thead>
      {days.map(({ key, entries: those }) => (
        <tbody key={key}>
          <tr className={classes.day}>
            <th scope="rowgroup">{dayInWords(key, today)}</th>
          </tr>
          {those.map((entry) => (
            <EntryRow
              key={entry.seq}
              entry={entry}
              zone={zone}
              open={open === String(entry.seq)}
              onOpen={onOpen}
            />
          ))}
        </tbody>
      ))}
    </table>
  );
}

interface RowProps {
  entry: AuditEntry;
  zone: string;
  open: boolean;
  onOpen: (seq: string) => void;
}

const EntryRow = memo(function EntryRow({ entry, zone, open, onOpen }: RowProps) {
  const { seq, at, subject, project, source, action, detail } = entry;
  const gist = gistInWords(entry, zone);
  function press(event: MouseEvent<HTMLTableRowElement>) {
    const onControl = event.target instanceof Element && event.target.closest("a, button");
    if (onControl || window.getSelection()?.toString()) return;
    onOpen(String(seq));
  }
  return (
    // The keyboard has the link in the row.
    <tr onClick={press} data-open={open || undefined} data-outcome={entry.outcome}>
      <td data-column="at">
        <time dateTime={at} title={exactTimes(at, zone)}>
          {clockInWords(at, zone)}
        </time>
      </td>
      <td
        data-column="who"
        data-nobody={entry.actor === "" || undefined}
        title={entry.actor || "Nobody who was signed in"}
      >
        {whoInWords(entry)}
      </td>
      <td data-column="did" title={action}>
        <Link
          to="."
          search={((held: AuditSearch) => changed(held, { entry: String(seq) })) as never}
          replace
          preload={false}
          className={classes.did}
          data-row-link
          aria-current={open || undefined}
        >
          {didInWords(entry)}
          <span className={classes.hidden}>, entry {seq}</span>
        </Link>
      </td>
      <td data-column="subject" title={subject}>
        <Subject entry={entry} name={typeof detail.name === "string" ? detail.name : ""} />
      </td>
      <td data-column="gist" title={gist}>
        {gist}
      </td>
      <td data-column="project">{project}</td>
      <td data-column="source">{source}</td>
      <td data-column="outcome">
        <Outcome outcome={entry.outcome} />
      </td>
    </tr>
  );
});

/** Ids and paths as what they are. */
function Subject({
  entry: { actor, action, subject, outcome },
  name,
}: {
  entry: AuditEntry;
  name: string;
}) {
  const isCode = outcome === "refused" || /^[wt]-[a-z0-9]{6,}$/.test(subject);
  // Who signs in does so as themselves.
  if (subject === actor && /^(user:sign|ticket:)/.test(action)) return null;
  if (!isCode) return subject;
  return (
    <Fragment>
      <code>{subject}</code>
      {name && <span className={classes.hidden}> {name}</span>}
    </Fragment>
  );
}

export function Outcome({ outcome }: Pick<AuditEntry, "outcome">) {
  const refused = outcome === "refused";
  return (
    <span className={classes.outcome} data-refused={refused || undefined}>
      {refused ? <RefusedIcon /> : <AllowedIcon />}
      {refused ? "Refused" : "Allowed"}
    </span>
  );
}
