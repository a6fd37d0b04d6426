/** YAML to write: the submit page's right half. CodeMirror loads when the editor is first shown. */
import { lazy, type Ref, Suspense } from "react";
import classes from "./editor.module.css";
import { FallBack } from "./FallBack";
import type { EditorReach, Mark } from "./marks";
import type { Schema } from "./schema";

const CodeEditor = lazy(() => import("./CodeEditor"));

export interface EditorProps {
  text: string;
  onChange: (text: string) => void;
  label: string;
  /** The id of what says more about it, such as how to leave it by keys. */
  describedBy?: string | undefined;
  marks?: readonly Mark[];
  /** Fields and values are completed and explained from it. */
  schema?: Schema | undefined;
  /** Values that are known beyond the schema, by dotted field. */
  known?: Readonly<Record<string, readonly string[]>>;
  /** Ctrl or ⌘ with Enter. */
  onSubmit?: (() => void) | undefined;
  reach?: Ref<EditorReach>;
}

export function YamlEditor(props: EditorProps) {
  return (
    <FallBack to={<PlainEditor {...props} />}>
      <Suspense fallback={<pre className={classes.plain}>{props.text}</pre>}>
        <CodeEditor {...props} />
      </Suspense>
    </FallBack>
  );
}

/** One can still write where the editor could not be loaded. */
function PlainEditor({ text, onChange, label, describedBy }: EditorProps) {
  return (
    <textarea
      className={classes.plainEditor}
      aria-label={label}
      aria-describedby={describedBy}
      spellCheck={false}
      value={text}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
