/** The form at the left and the YAML at the right, each following the other; below, the way out. */
import { Tabs } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import type { EditorReach } from "../editor/marks";
import { PageHeader } from "../frame/PageHeader";
import { ActionBar } from "./ActionBar";
import { attemptOf, type Draft, isChanged, keyMake } from "./draft";
import { type Fault, faultsOf, isToCome } from "./faults";
import { fieldFocus } from "./fieldFocus";
import { type Form, FormContext } from "./form";
import { useSubmit } from "./queries";
import { SpecForm } from "./SpecForm";
import { StartBar } from "./StartBar";
import { nameChange, valueSet } from "./specEdit";
import { faultMarks, fieldSpan } from "./specPlace";
import { specRead, textAt } from "./specText";
import classes from "./submit.module.css";
import { useCheck } from "./useCheck";
import { useDryRun } from "./useDryRun";
import { YamlPane } from "./YamlPane";

interface Props {
  draft: Draft;
  earlier: Draft | null;
  soleProject: string | undefined;
  onChange: (change: (draft: Draft) => Draft, options?: { now?: boolean }) => void;
  onBegin: (text: string, origin: string) => void;
  onEarlier: () => void;
  onForget: () => void;
  onDone: () => void;
}

/** Every line is broken for a moment while one writes it. */
const BROKEN_AFTER_MS = 600;
const NARROW = "(max-width: 1023px)";

export function SubmitDesk(props: Props) {
  const { draft, soleProject, onChange } = props;
  const { text } = draft;
  const reading = useMemo(() => specRead(text), [text]);
  const good = useRef(reading);
  if (!reading.broken) good.current = reading;
  const { document } = good.current;
  const broken = useLasting(reading.broken, BROKEN_AFTER_MS);
  const check = useCheck(reading.broken ? null : text);
  const foretold = useDryRun(check.state === "right" ? text : null);
  const submit = useSubmit();
  const navigate = useNavigate();
  const [visited, setVisited] = useState<ReadonlySet<string>>(new Set());
  const [refused, setRefused] = useState<{ text: string; error: Error } | null>(null);
  const [made, setMade] = useState<{ id: string; name: string } | null>(null);
  const [tab, setTab] = useState<string | null>("form");
  const narrow = useMediaQuery(NARROW) ?? false;
  const editor = useRef<EditorReach>(null);
  const summary = useRef<HTMLDivElement>(null);

  const refusal = refused?.text === text ? refused.error : null;
  const faults = useMemo<readonly Fault[]>(() => {
    const found = faultsOf(refusal);
    if (found.length > 0) return found;
    return check.faults.length > 0 ? check.faults : foretold.faults;
  }, [refusal, check.faults, foretold.faults]);
  const wrong = useMemo(
    () => faults.filter((each) => !isToCome(each) || visited.has(each.field)),
    [faults, visited],
  );
  const marks = useMemo(
    () =>
      broken
        ? [{ from: broken.from, to: broken.to, message: broken.message }]
        : faultMarks(reading.document, text, wrong),
    [broken, reading, text, wrong],
  );

  function change(step: (text: string) => string) {
    onChange((held) => ({ ...held, text: step(held.text) }));
  }

  function showInYaml(offset: number) {
    setTab("yaml");
    // The panel must be on the screen before it can take the focus.
    setTimeout(() => editor.current?.focusAt(offset));
  }

  const form: Form = {
    document,
    set: (path, value) => change((held) => valueSet(held, path, value)),
    setAll: (changes) =>
      change((held) => changes.reduce((each, [path, value]) => valueSet(each, path, value), held)),
    rename: (path, name) => change((held) => nameChange(held, path, name)),
    faults,
    visited,
    visit: (field) => setVisited((held) => (held.has(field) ? held : new Set([...held, field]))),
    resolved: check.resolved,
    showInYaml: (field) => showInYaml(spanOf(field).from),
    project: textAt(document, ["project"]) || soleProject,
    foretold,
  };

  function spanOf(field: string) {
    return field === "" ? (marks[0] ?? { from: 0 }) : fieldSpan(document, text, field);
  }

  function goTo(field: string) {
    setTab("form");
    // The panel must be on the screen before it can take the focus.
    setTimeout(async () => {
      const isShown = field !== "" && (await fieldFocus(field));
      if (!isShown) showInYaml(spanOf(field).from);
    });
  }

  function send(stay: boolean) {
    if (submit.isPending) return;
    setMade(null);
    if (reading.broken) return showInYaml(reading.broken.from);
    if (faults.length > 0 && check.state === "faulty") {
      setVisited(new Set([...visited, ...faults.map(({ field }) => field)]));
      setTimeout(() => summary.current?.focus());
      return;
    }
    const attempt = attemptOf(draft, keyMake);
    onChange((held) => ({ ...held, attempt }), { now: true });
    submit.mutate(attempt, {
      onSuccess: ({ id, name }) => {
        setRefused(null);
        if (stay) {
          onChange((held) => ({ ...held, attempt: undefined }), { now: true });
          setMade({ id, name });
        } else {
          props.onDone();
          void navigate({ to: "/workloads/$id", params: { id }, search: {} });
        }
      },
      onError: (error) => {
        setRefused({ text: attempt.text, error });
        const found = faultsOf(error).map(({ field }) => field);
        setVisited((held) => new Set([...held, ...found]));
        setTimeout(() => summary.current?.focus());
      },
    });
  }

  const latestSend = useRef(send);
  latestSend.current = send;
  useEffect(() => {
    function press(event: KeyboardEvent) {
      if (event.defaultPrevented || event.key !== "Enter") return;
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      latestSend.current(false);
    }
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);

  const name = textAt(document, ["name"]) ?? "";
  const formPane = (
    <section className={classes.form} aria-label="Form">
      {broken && (
        <div className={classes.broken} role="alert">
          <div className={classes.brokenWords}>
            <p>
              The YAML cannot be read at line {broken.line}: {broken.message} The form shows what it
              last said.
            </p>
            <button type="button" className={classes.link} onClick={() => showInYaml(broken.from)}>
              Go to line {broken.line}
            </button>
          </div>
        </div>
      )}
      <FormContext.Provider value={form}>
        <fieldset className={classes.fields} disabled={broken !== null} aria-label="Fields">
          <SpecForm />
        </fieldset>
      </FormContext.Provider>
    </section>
  );
  const yamlPane = (
    <YamlPane
      text={text}
      onText={(next) => change(() => next)}
      name={name}
      document={document}
      marks={marks}
      resolved={check.state === "faulty" || reading.broken ? null : check.resolved}
      project={form.project}
      onSubmit={() => send(false)}
      reach={editor}
    />
  );

  const start = <StartBar changed={isChanged(draft)} onBegin={props.onBegin} />;

  return (
    <div className={classes.page}>
      <PageHeader title="New workload">{!narrow && start}</PageHeader>
      <Notices {...props} made={made} />
      {narrow ? (
        <Tabs
          value={tab}
          onChange={setTab}
          className={classes.tabs}
          classNames={{
            panel: classes.panel ?? "",
            tab: classes.tab ?? "",
            list: classes.tabList ?? "",
          }}
        >
          <div className={classes.tabsBar}>
            <Tabs.List>
              <Tabs.Tab value="form">Form</Tabs.Tab>
              <Tabs.Tab value="yaml">YAML</Tabs.Tab>
            </Tabs.List>
            {start}
          </div>
          <Tabs.Panel value="form">{formPane}</Tabs.Panel>
          <Tabs.Panel value="yaml">{yamlPane}</Tabs.Panel>
        </Tabs>
      ) : (
        <div className={classes.desk}>
          {formPane}
          {yamlPane}
        </div>
      )}
      <ActionBar
        broken={broken}
        check={check}
        faults={faults}
        wrong={wrong}
        refusal={refusal}
        sending={submit.isPending}
        onSend={send}
        onGo={goTo}
        onBroken={() => showInYaml(broken?.from ?? 0)}
        summary={summary}
      />
    </div>
  );
}

/** A value only once it has lasted; null at once. */
function useLasting<Value>(value: Value | null, ms: number): Value | null {
  const [lasting, setLasting] = useState(false);
  const isThere = value !== null;
  useEffect(() => {
    if (!isThere) return;
    const timer = setTimeout(() => setLasting(true), ms);
    return () => {
      clearTimeout(timer);
      setLasting(false);
    };
  }, [isThere, ms]);
  return lasting ? value : null;
}

type NoticesProps = Pick<Props, "earlier" | "onEarlier" | "onForget"> & {
  made: { id: string; name: string } | null;
};

/** What was just submitted, and the draft that waits beside this one. */
function Notices({ made, earlier, onEarlier, onForget }: NoticesProps) {
  return (
    <>
      {made && (
        <p className={classes.notice} role="status">
          {made.name} was submitted. This draft is still here for another.{" "}
          <Link to="/workloads/$id" params={{ id: made.id }} search={{}} className={classes.link}>
            Open {made.name}
          </Link>
        </p>
      )}
      {earlier && (
        <p className={classes.notice}>
          An earlier draft{nameIn(earlier.text)} is kept.
          <button type="button" className={classes.link} onClick={onEarlier}>
            Go on with it
          </button>
          <button type="button" className={classes.link} onClick={onForget}>
            Discard it
          </button>
        </p>
      )}
    </>
  );
}

function nameIn(text: string): string {
  const { document, broken } = specRead(text);
  const name = broken ? "" : textAt(document, ["name"]);
  return name ? `, ${name},` : "";
}
