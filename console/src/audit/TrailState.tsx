/** How far the trail is sealed and kept, whether it is whole, and the means to find out. For who
 * may read all of it. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { AuditEntry, AuditForward, AuditState } from "../api/types";
import { Copyable } from "../frame/Copyable";
import { useCopy } from "../frame/clipboard";
import { FailureState } from "../frame/FailureState";
import { Skeleton } from "../frame/PageState";
import { counted } from "../quantity/words";
import { useMay } from "../session/queries";
import { RelativeTime } from "../time/Times";
import classes from "./audit.module.css";
import { BreakDialog } from "./BreakDialog";
import { SealIcon } from "./icons";
import { useBreaks, useForwards, useTrailState, useVerify } from "./queries";
import { changed } from "./useAuditSearch";
import { Verification, Verifying } from "./Verification";

export function TrailState({ actions }: { actions: ReactNode }) {
  const state = useTrailState();
  if (state.data) return <Loaded state={state.data} actions={actions} />;
  return (
    <section className={classes.state} aria-label="State of the trail">
      {state.error ? (
        <FailureState error={state.error} onRetry={() => state.refetch()} />
      ) : (
        <Skeleton rows={2} label="Loading the state of the trail" />
      )}
    </section>
  );
}

function Loaded({ state, actions }: { state: AuditState; actions: ReactNode }) {
  const verify = useVerify();
  const mayBreak = useMay()("audit:administer");
  const [breaking, setBreaking] = useState(false);
  const verdict = verify.data;
  const perSecond =
    verdict && verdict.took_ms > 0 ? (verdict.entries * 1_000) / verdict.took_ms : null;
  const wrong = state.alarm !== "" || verdict?.ok === false;
  return (
    <section
      className={classes.state}
      data-wrong={wrong || undefined}
      data-alarm={state.alarm !== "" || undefined}
      aria-label="State of the trail"
    >
      <div className={classes.stateLead}>
        <SealIcon broken={state.alarm !== ""} />
        <p className={classes.stateSentence}>
          <Sentence state={state} />
        </p>
        <span className={classes.stateActions}>
          <Button
            variant={state.alarm && !verdict ? "filled" : "default"}
            loading={verify.isPending}
            onClick={() => verify.mutate()}
          >
            Verify
          </Button>
          {actions}
        </span>
      </div>
      {state.alarm && (
        <div className={classes.alarm} role="alert">
          <p>
            {state.alarm} Until this is explained, nothing more is sealed. Verify the trail to see
            all of it.
          </p>
          {mayBreak && !verdict && (
            <Button variant="default" onClick={() => setBreaking(true)}>
              Declare a break…
            </Button>
          )}
        </div>
      )}
      <StateFacts state={state} />
      {verify.isPending && <Verifying state={state} perSecond={perSecond} />}
      {verify.error && (
        <p className={classes.failure} role="alert">
          {verify.error.message}
        </p>
      )}
      {verdict && !verify.isPending && (
        <Verification
          verdict={verdict}
          onClose={verify.reset}
          onBreak={mayBreak ? () => setBreaking(true) : undefined}
        />
      )}
      {breaking && (
        <BreakDialog
          onClose={() => setBreaking(false)}
          onDone={() => {
            setBreaking(false);
            verify.mutate();
          }}
        />
      )}
    </section>
  );
}

function Sentence({ state: { last_seq, sealed_seq, sealed_at } }: { state: AuditState }) {
  const waiting = Math.max(0, last_seq - sealed_seq);
  if (sealed_at === null) {
    return last_seq === 0
      ? "Nothing is written yet."
      : "Nothing is sealed yet: the first seal comes in seconds.";
  }
  return (
    <>
      Sealed through entry {sealed_seq.toLocaleString("en")}, <RelativeTime at={sealed_at} />.{" "}
      <span className={classes.quiet}>
        {waiting === 0
          ? "Nothing waits for a seal."
          : `${counted(waiting, "newer entry is", "newer entries are")} not sealed yet.`}
      </span>
    </>
  );
}

function StateFacts({ state }: { state: AuditState }) {
  const { kept_days, removal, key } = state;
  const may = useMay();
  const breaks = useBreaks();
  const forwards = useForwards(may("audit:administer"));
  const { copied, copy } = useCopy();
  return (
    <dl className={classes.stateFacts}>
      <div>
        <dt>Kept for</dt>
        <dd>
          {counted(kept_days, "day")}
          {removal && (
            <span className={classes.quiet}>
              {" "}
              · removed through entry {removal.last_seq.toLocaleString("en")}
            </span>
          )}
        </dd>
      </div>
      <div>
        <dt>Key</dt>
        <dd>
          <Copyable text={key.key_id} />
          <button
            type="button"
            className={classes.textButton}
            title={`Keep it away from the server: files are verified with it.\n${key.public_key}`}
            onClick={() => copy(key.public_key)}
          >
            {copied ? "Copied" : "Copy the public key"}
          </button>
        </dd>
      </div>
      {forwards.data && (
        <div>
          <dt>Forwarded</dt>
          <dd>
            <Forwards items={forwards.data.items} />
            <Link to="/audit/forwarding" className={classes.plainLink}>
              {forwards.data.items.length > 0 ? "Forwarding" : "Forward it"}
            </Link>
          </dd>
        </div>
      )}
      {breaks.data && breaks.data.items.length > 0 && (
        <div>
          <dt>{breaks.data.items.length === 1 ? "Declared break" : "Declared breaks"}</dt>
          <dd className={classes.breaks}>
            {breaks.data.items.map((each) => (
              <DeclaredBreak key={each.seq} entry={each} />
            ))}
          </dd>
        </div>
      )}
    </dl>
  );
}

function DeclaredBreak({ entry: { seq, actor, at, detail } }: { entry: AuditEntry }) {
  return (
    <span>
      <RelativeTime at={at} /> by {actor}:{" "}
      <Link
        to="."
        search={((held: Record<string, unknown>) => changed(held, { entry: String(seq) })) as never}
        className={classes.plainLink}
      >
        {typeof detail.reason === "string" ? detail.reason : `entry ${seq}`}
      </Link>
    </span>
  );
}

/** How far each receiver has got. */
function Forwards({ items }: { items: readonly AuditForward[] }) {
  if (items.length === 0) return <span className={classes.quiet}>nowhere</span>;
  return (
    <span className={classes.forwards}>
      {items.map(({ name, address, behind, failing_since, fault, behind_since }) => (
        <span key={name} data-failing={failing_since ? true : undefined} title={fault || address}>
          {name}:{" "}
          {failing_since ? (
            <>
              failing since <RelativeTime at={failing_since} />,{" "}
              {counted(behind, "entry", "entries")} behind
            </>
          ) : behind > 0 && behind_since ? (
            `${counted(behind, "entry", "entries")} behind`
          ) : (
            "up to date"
          )}
        </span>
      ))}
    </span>
  );
}
