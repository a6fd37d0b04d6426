/** What stands between the draft and the cluster: what is wrong or still needed, and the buttons. */
import { Button } from "@mantine/core";
import type { Ref } from "react";
import { UnreachableError } from "../api/problem";
import { CheckIcon, WarningIcon } from "../frame/icons";
import { counted } from "../quantity/words";
import { type Fault, faultInWords, faultsOf, isToCome } from "./faults";
import type { Break } from "./specText";
import classes from "./submit.module.css";
import type { Check } from "./useCheck";

interface Props {
  broken: Break | null;
  check: Check & { again: () => void };
  faults: readonly Fault[];
  wrong: readonly Fault[];
  refusal: Error | null;
  sending: boolean;
  onSend: (stay: boolean) => void;
  onGo: (field: string) => void;
  onBroken: () => void;
  summary: Ref<HTMLDivElement>;
}

const LISTED_MAX = 4;

export function ActionBar(props: Props) {
  const { broken, wrong, refusal, sending, onSend, onGo, summary } = props;
  const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);
  return (
    <footer className={classes.bar}>
      <div ref={summary} tabIndex={-1} className={classes.summary}>
        {refusal && faultsOf(refusal).length === 0 && (
          <p className={classes.fault} role="alert">
            {refusalInWords(refusal)}
          </p>
        )}
        {!broken && wrong.length > 0 && (
          <ul aria-label="To mend">
            {wrong.slice(0, LISTED_MAX).map((fault) => (
              <li key={`${fault.field} ${fault.message}`}>
                <button
                  type="button"
                  className={classes.faultLink}
                  onClick={() => onGo(fault.field)}
                >
                  {fault.field && <code>{fault.field}</code>} {faultLine(fault)}
                </button>
              </li>
            ))}
            {wrong.length > LISTED_MAX && (
              <li className={classes.hint}>{counted(wrong.length - LISTED_MAX, "more")}</li>
            )}
          </ul>
        )}
        <Status {...props} />
      </div>
      <div className={classes.actions}>
        <Button
          variant="default"
          disabled={sending}
          title="Submits, and keeps this draft to submit another"
          onClick={() => onSend(true)}
        >
          Submit another
        </Button>
        <Button
          loading={sending}
          title={`Submit (${isApple ? "⌘" : "Ctrl"} Enter)`}
          aria-keyshortcuts="Control+Enter Meta+Enter"
          onClick={() => onSend(false)}
        >
          Submit workload
        </Button>
      </div>
    </footer>
  );
}

function Status({ broken, check, faults, wrong, onGo, onBroken }: Props) {
  const toCome = faults.filter((each) => isToCome(each) && !wrong.includes(each));
  return (
    <div className={classes.status} role="status">
      {broken ? (
        <>
          <WarningIcon />
          <button type="button" className={classes.link} onClick={onBroken}>
            The YAML cannot be read at line {broken.line}, column {broken.column}
          </button>
        </>
      ) : check.state === "unreachable" ? (
        <>
          <WarningIcon />
          <span>Not checked: {check.trouble} The draft is kept in this browser.</span>
          <button type="button" className={classes.link} onClick={check.again}>
            Try again
          </button>
        </>
      ) : toCome.length > 0 ? (
        <span>
          Still needed:{" "}
          {toCome.map(({ field }, at) => (
            <span key={field}>
              {at > 0 && ", "}
              <button type="button" className={classes.link} onClick={() => onGo(field)}>
                {field}
              </button>
            </span>
          ))}
        </span>
      ) : wrong.length > 0 ? (
        <span>{counted(wrong.length, "thing")} to mend</span>
      ) : check.resolved === null ? (
        <span>Checking</span>
      ) : (
        <>
          <CheckIcon />
          <span>Ready to submit</span>
        </>
      )}
    </div>
  );
}

function faultLine(fault: Fault): string {
  return fault.field
    ? [fault.message, fault.remedy].filter(Boolean).join(" ")
    : faultInWords(fault);
}

function refusalInWords(refusal: Error): string {
  return refusal instanceof UnreachableError
    ? "The server did not answer. Submit again when it is back: the same draft is never taken twice."
    : refusal.message;
}
