/** One receiver: its state in a sentence, how far it is, and what can be done with it. */
import { Button } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import { Ask } from "../../access/Ask";
import type { AuditForward, ForwardTrial } from "../../api/types";
import { CheckIcon, ClockIcon, WarningIcon } from "../../frame/icons";
import { counted } from "../../quantity/words";
import { useClock } from "../../time/clock";
import { Duration, RelativeTime } from "../../time/Times";
import { relativeInWords } from "../../time/words";
import { addressSplit, ways } from "./address";
import { ForwardForm } from "./ForwardForm";
import classes from "./forwarding.module.css";
import { useForwardRemove, useForwardTry } from "./queries";

interface Props {
  forward: AuditForward;
  /** It was added just now, and is tried at once. */
  fresh: boolean;
}

export function ForwardCard({ forward, fresh }: Props) {
  const { name, address } = forward;
  const attempt = useForwardTry(name);
  const [asked, setAsked] = useState<"change" | "remove" | null>(null);
  const close = () => setAsked(null);
  const { mutate } = attempt;
  useEffect(() => {
    if (fresh) mutate(undefined);
  }, [fresh, mutate]);
  const [way] = addressSplit(address);
  return (
    <li className={classes.card} data-state={stateOf(forward)} aria-label={name}>
      <header>
        <div>
          <h2>{name}</h2>
          <p>
            {way && `${ways[way].label} · `}
            <code>{address}</code>
          </p>
        </div>
        <span className={classes.actions}>
          <Button
            variant="default"
            loading={attempt.isPending}
            aria-label={`Test ${name}`}
            onClick={() => mutate(undefined)}
          >
            Test
          </Button>
          <Button
            variant="default"
            aria-label={`Change ${name}`}
            onClick={() => setAsked("change")}
          >
            Change
          </Button>
          <Button
            variant="default"
            aria-label={`Remove ${name}`}
            onClick={() => setAsked("remove")}
          >
            Remove
          </Button>
        </span>
      </header>
      <State forward={forward} />
      <Facts forward={forward} />
      {attempt.error && <p role="alert">{attempt.error.message}</p>}
      {attempt.data && !attempt.isPending && (
        <p className={classes.trial} data-ok={attempt.data.ok} role="status">
          {attempt.data.ok ? <CheckIcon /> : <WarningIcon />}
          <span>
            <TriedWords trial={attempt.data} udp={way === "udp"} />{" "}
            <span className={classes.quiet}>
              Tested <RelativeTime at={new Date(attempt.submittedAt).toISOString()} />.
            </span>
          </span>
        </p>
      )}
      {asked === "change" && <ForwardForm forward={forward} onDone={close} onClose={close} />}
      {asked === "remove" && <RemoveDialog forward={forward} onClose={close} />}
    </li>
  );
}

function TriedWords({ trial: { ok, took_ms, fault }, udp }: { trial: ForwardTrial; udp: boolean }) {
  if (!ok) return `It did not take the test. ${fault}`;
  if (udp) {
    return "The test was sent. Over UDP nobody can tell whether it arrived: look for audit:test there.";
  }
  const ms = Math.max(1, Math.round(took_ms)).toLocaleString("en");
  return `It took the test within ${ms} ms. Look for audit:test there.`;
}

function stateOf({ failing_since, behind }: AuditForward): "failing" | "behind" | "well" {
  return failing_since ? "failing" : behind > 0 ? "behind" : "well";
}

function State({ forward }: { forward: AuditForward }) {
  const { failing_since, fault, behind, next_try_at } = forward;
  if (failing_since) {
    return (
      <p className={classes.state}>
        <WarningIcon />
        <span>
          <strong>
            Failing for <Duration start={failing_since} />.
          </strong>{" "}
          {fault} {counted(behind, "entry waits", "entries wait")} in the trail; none is lost.
          {next_try_at && <NextTry at={next_try_at} />}
        </span>
      </p>
    );
  }
  return (
    <p className={classes.state}>
      {behind > 0 ? <ClockIcon /> : <CheckIcon />}
      <strong>{behind > 0 ? `${counted(behind, "entry", "entries")} behind` : "Up to date"}</strong>
    </p>
  );
}

/** A moment that may have passed while the page was not asked again. */
function NextTry({ at }: { at: string }) {
  const words = useClock((now) =>
    Date.parse(at) - now < 1_000
      ? "It is tried again now."
      : `Next try ${relativeInWords(at, now)}.`,
  );
  return ` ${words}`;
}

function Facts({ forward }: { forward: AuditForward }) {
  const { sent_seq, sent_at, behind_since, behind, skipped, signed, own_ca, kind } = forward;
  return (
    <dl className={classes.facts}>
      <Fact name="Last delivery">
        {sent_at ? (
          <>
            entry {sent_seq.toLocaleString("en")}, <RelativeTime at={sent_at} />
          </>
        ) : (
          `none yet; begins after entry ${sent_seq.toLocaleString("en")}`
        )}
      </Fact>
      <Fact name="Waiting">
        {behind === 0 || !behind_since ? (
          "nothing"
        ) : (
          <>
            {counted(behind, "entry", "entries")}, the first <RelativeTime at={behind_since} />
          </>
        )}
      </Fact>
      {kind === "webhook" && <Fact name="Signed">{signed ? "yes" : "no"}</Fact>}
      {own_ca && <Fact name="Trusts">certificates of its own</Fact>}
      {skipped > 0 && (
        <Fact name="Never sent">
          {counted(skipped, "entry", "entries")}, removed from the trail before it could take them
        </Fact>
      )}
      <Fact name="Added">
        <RelativeTime at={forward.created_at} /> by {forward.created_by}
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function RemoveDialog({ forward, onClose }: { forward: AuditForward; onClose: () => void }) {
  const { name, behind } = forward;
  const remove = useForwardRemove(name);
  return (
    <Ask title={`Remove ${name}`} does={`Remove ${name}`} change={remove} onClose={onClose}>
      <p>
        It gets nothing from now on
        {behind > 0 && `, nor the ${counted(behind, "entry", "entries")} that it does not have yet`}
        . The trail here stays as it is. Added again, it begins with what comes then.
      </p>
    </Ask>
  );
}
