/** What verifying has shown: that all is whole, or which entry is the first wrong one and what to
 * do about it. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { AuditState, AuditVerdict } from "../api/types";
import { IconButton } from "../frame/IconButton";
import { CloseIcon } from "../frame/icons";
import { counted } from "../quantity/words";
import { durationInWords } from "../time/words";
import classes from "./audit.module.css";
import { SealIcon } from "./icons";
import { changed } from "./useAuditSearch";
import { remedies, verdictNote, verdictTitle } from "./verdict";

const SHOWN = 5;

interface Props {
  verdict: AuditVerdict;
  onClose: () => void;
  /** Absent for who may not. */
  onBreak: (() => void) | undefined;
}

export function Verification({ verdict, onClose, onBreak }: Props) {
  const { ok, faults, excused, fault_count, removal } = verdict;
  return (
    <div className={classes.verdict} data-ok={ok} role="status">
      <SealIcon broken={!ok} />
      <div>
        <h2 className={classes.verdictTitle}>{verdictTitle(verdict)}</h2>
        <p className={classes.quiet}>{verdictNote(verdict)}</p>
        {removal && (
          <p className={classes.quiet}>
            Entries through {removal.last_seq.toLocaleString("en")} were removed as they were too
            old; a signed record says so.
          </p>
        )}
        {!ok && (
          <>
            <ul className={classes.faults}>
              {faults.slice(0, SHOWN).map(({ kind, first_seq, sentence }) => (
                <li key={`${kind} ${first_seq}`}>
                  {sentence}{" "}
                  {kind !== "truncated" && kind !== "missing" && <EntryLink seq={first_seq} />}
                </li>
              ))}
              {fault_count > SHOWN && <li>And {counted(fault_count - SHOWN, "more fault")}.</li>}
            </ul>
            <h3 className={classes.part}>What to do</h3>
            <ol className={classes.remedies}>
              {remedies(faults).map((each) => (
                <li key={each}>{each}</li>
              ))}
            </ol>
            {onBreak && (
              <Button variant="default" onClick={onBreak}>
                Declare a break…
              </Button>
            )}
          </>
        )}
        {excused.length > 0 && (
          <details className={classes.same}>
            <summary>{counted(excused.length, "fault")} from before a declared break</summary>
            <ul className={classes.faults}>
              {excused.map(({ kind, first_seq, sentence }) => (
                <li key={`${kind} ${first_seq}`}>{sentence}</li>
              ))}
            </ul>
          </details>
        )}
      </div>
      <IconButton label="Close the result" onClick={onClose}>
        <CloseIcon />
      </IconButton>
    </div>
  );
}

function EntryLink({ seq }: { seq: number }) {
  return (
    <Link
      to="."
      search={((held: Record<string, unknown>) => changed(held, { entry: String(seq) })) as never}
      className={classes.plainLink}
    >
      Look at entry {seq.toLocaleString("en")}
    </Link>
  );
}

/** While the server looks: at how much, for how long, and how long it may take in all. */
export function Verifying({ state, perSecond }: { state: AuditState; perSecond: number | null }) {
  const [began] = useState(() => Date.now());
  const [now, setNow] = useState(began);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const entries = state.last_seq - (state.removal?.last_seq ?? 0);
  const seconds = (now - began) / 1_000;
  const expected = perSecond ? entries / perSecond : null;
  return (
    <div className={classes.verifying} role="status">
      <span>
        Looking at {counted(entries, "entry", "entries")}
        {seconds >= 1 && `, for ${durationInWords(seconds)}`}
        {expected && expected >= 2 ? ` of about ${durationInWords(expected)}` : ""} …
      </span>
      <progress
        aria-label="Verifying the trail"
        {...(expected && expected >= 2 && { max: 1, value: Math.min(0.97, seconds / expected) })}
      />
    </div>
  );
}
