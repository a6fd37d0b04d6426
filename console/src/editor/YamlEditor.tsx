/** YAML to write: the submit page's right half. CodeMirror loads when the editor is first shown. */
import { lazy, Suspense } from "react";
import classes from "./editor.module.css";
import { FallBack } from "./FallBack";
import type { EditorProps } from "./props";

const CodeEditor = lazy(() => import("./CodeEditor"));

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
