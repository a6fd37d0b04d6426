/** /submit: what one begins with (the draft, an example, another workload's spec), then the desk. */
import { Skeleton } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { stringify } from "yaml";
import { EmptyState } from "../frame/EmptyState";
import { FailureState } from "../frame/FailureState";
import { PageHeader } from "../frame/PageHeader";
import { useProjectNames } from "../projects/queries";
import { useProject } from "../projects/scope";
import { useIdentity, useMaySubmit } from "../session/queries";
import { useWorkload } from "../workloads/queries";
import { draftBegin, draftsBegin, draftsSwap } from "./draft";
import { exampleNamed } from "./examples";
import { SubmitDesk } from "./SubmitDesk";
import { valueSet } from "./specEdit";
import { isSetAt, specRead } from "./specText";
import classes from "./submit.module.css";
import { useDrafts } from "./useDrafts";

type DraftsHeld = ReturnType<typeof useDrafts>;

export default function SubmitPage() {
  const { from, example } = useSearch({ from: "/submit" });
  const { username } = useIdentity();
  // Held here, above what changes with the address.
  const drafts = useDrafts(username);
  if (!useMaySubmit()) {
    return (
      <>
        <PageHeader title="New workload" />
        <EmptyState
          title="You cannot submit yet"
          sentence="Submitting needs the role of developer in a project. A lead of the project can give it to you."
        />
      </>
    );
  }
  return from ? (
    <Cloned key={from} id={from} drafts={drafts} />
  ) : (
    <Begun example={example} drafts={drafts} />
  );
}

/** Begins with the spec of a workload, as it was submitted. */
function Cloned({ id, drafts }: { id: string; drafts: DraftsHeld }) {
  const { data, error, isPending, refetch } = useWorkload(id);
  if (data) {
    const text = stringify(data.submitted_spec, {
      lineWidth: 0,
      aliasDuplicateObjects: false,
      blockQuote: "literal",
    });
    const begun = valueSet(text, ["project"], data.project);
    return <Begin origin={`from:${id}`} begun={begun} held={drafts} />;
  }
  return (
    <>
      <PageHeader title="New workload" />
      {isPending ? <Waiting /> : error && <FailureState error={error} onRetry={() => refetch()} />}
    </>
  );
}

function Begun({ example, drafts }: { example: string | undefined; drafts: DraftsHeld }) {
  const found = example === undefined ? undefined : exampleNamed(example);
  const project = useDefaultProject();
  const text = found?.text ?? "";
  return (
    <Begin
      origin={found ? `example:${found.name}` : ""}
      held={drafts}
      begun={project === undefined ? text : valueSet(text, ["project"], project)}
    />
  );
}

/** The project of the address, else the only one there is; left out where the server knows it. */
function useDefaultProject(): string | undefined {
  const chosen = useProject();
  const { roles } = useIdentity();
  const names = useProjectNames();
  if (chosen) return chosen;
  const isKnown = Object.keys(roles).length === 1;
  return !isKnown && names.length === 1 ? names[0] : undefined;
}

interface BeginProps {
  origin: string;
  begun: string;
  held: DraftsHeld;
}

function Begin({ origin, begun, held: { drafts, update } }: BeginProps) {
  const { roles } = useIdentity();
  const navigate = useNavigate();
  const last = useRef<string>(undefined);

  useEffect(() => {
    const isNew = last.current !== origin;
    last.current = origin;
    update((held) => {
      const { current } = held;
      // A plain address means whatever one was writing.
      const isMine = current && (origin === "" || current.origin === origin);
      if (isNew && !isMine) return draftsBegin(held, draftBegin(begun, origin));
      // What it begins with came to be known only now, and nothing was written yet.
      const isUntouched = current?.origin === origin && current.text === current.begun;
      return isUntouched && current.begun !== begun
        ? { ...held, current: draftBegin(begun, origin) }
        : held;
    });
  }, [origin, begun, update]);

  if (!drafts.current) {
    return (
      <>
        <PageHeader title="New workload" />
        <Waiting />
      </>
    );
  }

  const sole = Object.keys(roles).length === 1 ? Object.keys(roles)[0] : undefined;
  const plain = () => void navigate({ to: "/submit", search: {} });
  return (
    <SubmitDesk
      draft={drafts.current}
      earlier={drafts.earlier}
      soleProject={sole}
      onChange={(change, options) =>
        update(
          (held) => (held.current ? { ...held, current: change(held.current) } : held),
          options,
        )
      }
      onBegin={(text, from) => {
        last.current = "";
        const project = projectOf(begun);
        const started = project && text ? valueSet(text, ["project"], project) : text;
        update((held) => draftsBegin(held, draftBegin(started, from)));
        plain();
      }}
      onEarlier={() => {
        last.current = "";
        update(draftsSwap);
        plain();
      }}
      onForget={() => update((held) => ({ ...held, earlier: null }))}
      onDone={() => update((held) => ({ ...held, current: null }), { now: true })}
    />
  );
}

function projectOf(text: string): string | undefined {
  const { document } = specRead(text);
  return isSetAt(document, ["project"]) ? String(document.get("project")) : undefined;
}

/** The room that the desk will take, so that nothing jumps. */
function Waiting() {
  return (
    <div className={classes.desk} aria-busy="true">
      <div className={classes.waiting}>
        {[96, 56, 88, 120].map((height) => (
          <Skeleton key={height} height={height} radius={6} />
        ))}
      </div>
      <Skeleton height="100%" radius={0} />
    </div>
  );
}
