/** What a bulk action did: how many, and by name those that it could not be done to. */
import { useEffect, useRef } from "react";
import { CloseIcon } from "../frame/icons";
import { type Outcome, usePriorityUndo } from "./actions";
import classes from "./bulk.module.css";
import { outcomeInWords } from "./words";

const SHOWN_MS = 8_000;

export function OutcomeNote({ outcome, onClose }: { outcome: Outcome; onClose: () => void }) {
  const undo = usePriorityUndo();
  const { faults, fault_count, rows, action } = outcome;
  const canUndo =
    action.action === "change" &&
    action.change.priority != null &&
    rows.size > 0 &&
    outcome.done > 0;
  const isRead = faults.length === 0 && !undo.isPending && !undo.isError;
  const close = useRef(onClose);
  close.current = onClose;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another outcome is told anew.
  useEffect(() => {
    if (!isRead) return;
    const timer = setTimeout(() => close.current(), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isRead, outcome]);
  return (
    <div className={classes.outcome} role="status">
      <div className={classes.outcomeLine}>
        <p>{outcomeInWords(outcome)}</p>
        {canUndo && (
          <button
            type="button"
            className={classes.undo}
            disabled={undo.isPending}
            onClick={() => undo.mutate(outcome, { onSuccess: onClose })}
          >
            Undo
          </button>
        )}
        <button type="button" className={classes.close} aria-label="Close" onClick={onClose}>
          <CloseIcon />
        </button>
      </div>
      {undo.isError && <p className={classes.failure}>{undo.error.message}</p>}
      {faults.length > 0 && (
        <ul className={classes.faults}>
          {faults.map(({ id, detail }) => (
            <li key={id}>
              <b>{rows.get(id)?.name ?? id}</b> {detail}
            </li>
          ))}
          {fault_count > faults.length && (
            <li>and {(fault_count - faults.length).toLocaleString("en")} more</li>
          )}
        </ul>
      )}
    </div>
  );
}
