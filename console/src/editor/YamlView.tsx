/** YAML to read: coloured, numbered, foldable and searchable. The detail's spec tab shows it. */
import { lazy, Suspense } from "react";
import classes from "./editor.module.css";
import { FallBack } from "./FallBack";

const CodeView = lazy(() => import("./CodeView"));

export function YamlView({ text: given, label }: { text: string; label: string }) {
  // The end of the last line is no line of its own to read.
  const text = given.replace(/\n$/, "");
  const plain = <PlainView text={text} label={label} />;
  return (
    <FallBack to={plain}>
      <Suspense fallback={plain}>
        <CodeView text={text} label={label} />
      </Suspense>
    </FallBack>
  );
}

/** The same text in the same lines while the editor loads, or where it cannot be loaded. */
function PlainView({ text, label }: { text: string; label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys.
    <section className={classes.view} tabIndex={0} aria-label={label}>
      <pre className={classes.plain}>{text}</pre>
    </section>
  );
}
