/** The spec as YAML, to write; with defaults, to read; and how to submit it from elsewhere. */
import { Button, SegmentedControl } from "@mantine/core";
import { type Ref, useMemo, useState } from "react";
import { stringify } from "yaml";
import type { EditorReach, Mark } from "../editor/marks";
import { YamlEditor } from "../editor/YamlEditor";
import { YamlView } from "../editor/YamlView";
import { Copyable } from "../frame/Copyable";
import { useCopy } from "../frame/clipboard";
import { IconButton } from "../frame/IconButton";
import { CheckIcon, ChevronIcon, CopyIcon, DownloadIcon } from "../frame/icons";
import { useProjectNames } from "../projects/queries";
import { commandLine, fileName, pythonText } from "./elsewhere";
import { roomByType } from "./fit";
import { useAllNodes, useSchema, useSecretNames } from "./queries";
import type { SpecDocument } from "./specText";
import classes from "./submit.module.css";

interface Props {
  text: string;
  onText: (text: string) => void;
  name: string;
  document: SpecDocument;
  marks: readonly Mark[];
  resolved: Record<string, unknown> | null;
  project: string | undefined;
  onSubmit: () => void;
  reach: Ref<EditorReach>;
}

const views = [
  { value: "written", label: "As written" },
  { value: "defaults", label: "With defaults" },
];

const HINT_ID = "yaml-keys";

export function YamlPane(props: Props) {
  const { text, onText, name, marks, resolved, project, onSubmit, reach } = props;
  const [view, setView] = useState("written");
  const { copied, copy } = useCopy();
  const schema = useSchema();
  const known = useKnown(project);
  const shown = view === "written" ? text : resolvedText(resolved);
  return (
    <section className={classes.yaml} aria-label="YAML">
      <div className={classes.yamlBar}>
        <SegmentedControl
          size="xs"
          withItemsBorders={false}
          classNames={{ label: classes.segment ?? "" }}
          aria-label="Which YAML"
          data={views}
          value={view}
          onChange={setView}
        />
        <span className={classes.spring} />
        <IconButton label={copied ? "Copied" : "Copy"} onClick={() => copy(shown)}>
          {copied ? <CheckIcon /> : <CopyIcon />}
        </IconButton>
        <IconButton
          label={`Download ${fileName(name)}`}
          onClick={() => fileSave(fileName(name), shown)}
        >
          <DownloadIcon />
        </IconButton>
      </div>
      <div className={classes.yamlBody} hidden={view !== "written"}>
        <YamlEditor
          label="Workload in YAML"
          describedBy={HINT_ID}
          text={text}
          onChange={onText}
          marks={marks}
          schema={schema}
          known={known}
          onSubmit={onSubmit}
          reach={reach}
        />
      </div>
      {view === "defaults" && (
        <div className={classes.yamlRead}>
          {resolved ? (
            <YamlView text={shown} label="Workload with defaults" />
          ) : (
            <p className={classes.hint}>Shown as soon as nothing is wrong or missing.</p>
          )}
        </div>
      )}
      <p id={HINT_ID} className={classes.keys}>
        Tab indents; Escape, then Tab leaves. Ctrl Space completes, Ctrl F searches.
      </p>
      <Elsewhere {...props} />
    </section>
  );
}

function Elsewhere({ name, document }: Props) {
  const [open, setOpen] = useState(false);
  const python = useMemo(() => (open ? pythonText(document.toJS() ?? {}) : ""), [open, document]);
  const { copied, copy } = useCopy();
  return (
    <details
      className={classes.group}
      data-elsewhere
      open={open}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        <ChevronIcon />
        <span className={classes.groupTitle}>From a terminal or Python</span>
      </summary>
      <div className={classes.groupFields}>
        <div>
          <Copyable text={commandLine(name)} block />
        </div>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys. */}
        <section className={classes.python} tabIndex={0} aria-label="Python">
          <pre>{python}</pre>
        </section>
        <div>
          <Button variant="default" onClick={() => copy(python)}>
            {copied ? "Copied" : "Copy the Python"}
          </Button>
        </div>
      </div>
    </details>
  );
}

/** What there is to choose from beyond the schema, for completion. */
function useKnown(project: string | undefined): Record<string, readonly string[]> {
  const { data: nodes } = useAllNodes();
  const { data: secrets } = useSecretNames(project);
  const projects = useProjectNames();
  const types = useMemo(() => roomByType(nodes ?? []).map(({ type }) => type), [nodes]);
  return { project: projects, secrets: secrets ?? [], "resources.gpu_type": types };
}

function resolvedText(resolved: Record<string, unknown> | null): string {
  return resolved
    ? stringify(resolved, { lineWidth: 0, aliasDuplicateObjects: false, blockQuote: "literal" })
    : "";
}

function fileSave(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  const link = window.document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser reads it after the click has been dealt with.
  setTimeout(() => URL.revokeObjectURL(address));
}
