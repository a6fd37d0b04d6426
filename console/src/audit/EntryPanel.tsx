/** One entry beside the trail: all that it tells, what changed, where it came from, and its hash. */
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";
import { agentInWords } from "../account/agent";
import type { AuditEntry } from "../api/types";
import { Copyable } from "../frame/Copyable";
import { useCopy } from "../frame/clipboard";
import { IconButton } from "../frame/IconButton";
import { ArrowIcon, CheckIcon, CloseIcon, CopyIcon } from "../frame/icons";
import { PageState } from "../frame/PageState";
import { useMay } from "../session/queries";
import { RelativeTime } from "../time/Times";
import { exactIn } from "../time/words";
import { useTimeZone } from "../time/zone";
import classes from "./audit.module.css";
import { Difference } from "./Difference";
import { factsOf } from "./difference";
import { useEntry, useTrailState } from "./queries";
import { type AuditChange, noFilters } from "./search";
import { ThingLink } from "./ThingLink";
import { Outcome } from "./Trail";
import { changed } from "./useAuditSearch";
import { didInWords, whoInWords } from "./words";

interface Props {
  seq: string;
  known: AuditEntry | undefined;
  /** Its neighbours in the list, where there are some. */
  newer: string | undefined;
  older: string | undefined;
  onOpen: (seq: string | undefined) => void;
}

export function EntryPanel({ seq, known, newer, older, onOpen }: Props) {
  const entry = useEntry(seq, known);
  const panel = useRef<HTMLElement>(null);
  const { copied, copy } = useCopy();
  // What was opened is what one reads next, for the keyboard and for a screen reader alike.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another entry is another reading.
  useEffect(() => panel.current?.focus({ preventScroll: true }), [seq]);
  return (
    <aside ref={panel} tabIndex={-1} className={classes.panel} aria-label="Entry">
      <header className={classes.panelHead}>
        <p className={classes.panelNumber}>Entry {Number(seq).toLocaleString("en")}</p>
        {entry.data && (
          <IconButton
            label={copied ? "Copied" : "Copy as JSON"}
            onClick={() => copy(JSON.stringify(entry.data, null, 2))}
          >
            {copied ? <CheckIcon /> : <CopyIcon />}
          </IconButton>
        )}
        <IconButton
          label="Newer entry (k)"
          disabled={newer === undefined}
          onClick={() => onOpen(newer)}
        >
          <ArrowIcon up />
        </IconButton>
        <IconButton
          label="Older entry (j)"
          disabled={older === undefined}
          onClick={() => onOpen(older)}
        >
          <ArrowIcon />
        </IconButton>
        <IconButton label="Close (Esc)" onClick={() => onOpen(undefined)}>
          <CloseIcon />
        </IconButton>
      </header>
      {entry.data ? (
        <Entry entry={entry.data} />
      ) : (
        <PageState query={entry} what="this entry" rows={8} />
      )}
    </aside>
  );
}

function Entry({ entry }: { entry: AuditEntry }) {
  const zone = useTimeZone();
  const { actor, action, project, detail, source, user_agent, token_id, request_id } = entry;
  const facts = factsOf(detail, zone);
  const hasDifference = "before" in detail || "after" in detail;
  return (
    <>
      <div>
        <h2 className={classes.panelTitle}>{didInWords(entry)}</h2>
        <p className={classes.panelLead}>
          <Outcome outcome={entry.outcome} />
          <span>
            <RelativeTime at={entry.at} />, {exactIn(entry.at, zone)}
          </span>
        </p>
      </div>
      <Facts name="What was done">
        <Fact name="Who">
          {actor ? (
            <Narrowed next={{ actor }}>{whoInWords(entry)}</Narrowed>
          ) : (
            "Nobody who was signed in"
          )}
        </Fact>
        <Fact name="Did">
          <Narrowed next={{ action }}>
            <code>{action}</code>
          </Narrowed>
        </Fact>
        <Fact name="To">
          <ThingLink entry={entry} />
        </Fact>
        {project && <Fact name="Project">{project}</Fact>}
        {facts.map(([name, value]) => (
          <Fact key={name} name={name.charAt(0).toUpperCase() + name.slice(1)}>
            {value}
          </Fact>
        ))}
      </Facts>
      {hasDifference && (
        <section aria-label="What changed">
          <h3 className={classes.part}>What changed</h3>
          <Difference before={detail.before} after={detail.after} zone={zone} />
        </section>
      )}
      <Facts name="Where it came from">
        <Fact name="Address">
          {source ? (
            <Narrowed next={{ source }}>{source}</Narrowed>
          ) : (
            "None: Podium did it by itself."
          )}
        </Fact>
        {user_agent && (
          <Fact name="Program">
            <span title={user_agent}>{agentInWords(user_agent)}</span>
          </Fact>
        )}
        {token_id && (
          <Fact name="Token">
            <Copyable text={token_id} />
          </Fact>
        )}
        {request_id && (
          <Fact name="Request">
            <Narrowed next={{ request: request_id }}>
              <code>{request_id}</code>
            </Narrowed>
          </Fact>
        )}
      </Facts>
      <Chain entry={entry} />
    </>
  );
}

/** Its place in the chain; whether it is sealed, for who may see the seals. */
function Chain({ entry: { seq, hash } }: { entry: AuditEntry }) {
  const state = useTrailState(useMay()("audit:read"));
  const sealed = state.data && state.data.sealed_seq >= seq;
  return (
    <Facts name="In the chain">
      {state.data && (
        <Fact name="Sealed">
          {sealed ? "Yes, by a signed seal after it." : "Not yet: the next seal comes in seconds."}
        </Fact>
      )}
      <Fact name="Hash">
        <Copyable text={hash} />
      </Fact>
      <Fact name="Command">
        <Copyable text={`podium audit show ${seq}`} />
      </Fact>
    </Facts>
  );
}

/** Leads to all entries that have the same. */
function Narrowed({ next, children }: { next: AuditChange; children: ReactNode }) {
  return (
    <Link
      to="."
      search={
        ((held: Record<string, unknown>) => changed(held, { ...noFilters, ...next })) as never
      }
      className={classes.plainLink}
      title="Show all entries that have the same"
    >
      {children}
    </Link>
  );
}

function Facts({ name, children }: { name: string; children: ReactNode }) {
  return (
    <section aria-label={name}>
      <h3 className={classes.part}>{name}</h3>
      <dl className={classes.facts}>{children}</dl>
    </section>
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
