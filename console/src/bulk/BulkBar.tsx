/** The bar over the end of a list while something is selected: what can be done to all of it. */
import { useState } from "react";
import { CloseIcon } from "../frame/icons";
import { useStreamStatus } from "../stream/status";
import type { Outcome } from "./actions";
import classes from "./bulk.module.css";
import { CancelMany } from "./CancelMany";
import { ChangeMany } from "./ChangeMany";
import { OutcomeNote } from "./OutcomeNote";
import type { Selecting } from "./selection";

interface Props {
  selecting: Selecting;
  /** How many the list has in all. */
  total: number;
}

type Asking = "cancel" | "priority" | "time";

export function BulkBar({ selecting, total }: Props) {
  const { selection, selectAll, clear } = selecting;
  const [asking, setAsking] = useState<Asking | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const { phase } = useStreamStatus();
  const close = () => setAsking(null);
  const done = (told: Outcome) => {
    setAsking(null);
    setOutcome(told);
    clear();
  };
  return (
    <div className={classes.place} data-lost={phase === "disconnected" || undefined}>
      {outcome && <OutcomeNote outcome={outcome} onClose={() => setOutcome(null)} />}
      {!selection.isEmpty && (
        <section className={classes.bar} aria-label="Selected workloads">
          <p className={classes.count} role="status">
            <b>{selection.count.toLocaleString("en")}</b> selected
          </p>
          {!selection.all && selection.count < total && (
            <button type="button" className={classes.all} onClick={selectAll}>
              Select all {total.toLocaleString("en")}
            </button>
          )}
          <span className={classes.rule} />
          <button type="button" className={classes.act} onClick={() => setAsking("priority")}>
            Change priority
          </button>
          <button type="button" className={classes.act} onClick={() => setAsking("time")}>
            Extend time
          </button>
          <button
            type="button"
            className={classes.act}
            data-destructive
            onClick={() => setAsking("cancel")}
          >
            Cancel
          </button>
          <button
            type="button"
            className={classes.close}
            aria-label="Clear the selection"
            title="Clear the selection (Esc)"
            onClick={clear}
          >
            <CloseIcon />
          </button>
        </section>
      )}
      {asking === "cancel" && <CancelMany selection={selection} onClose={close} onDone={done} />}
      {(asking === "priority" || asking === "time") && (
        <ChangeMany what={asking} selection={selection} onClose={close} onDone={done} />
      )}
    </div>
  );
}
