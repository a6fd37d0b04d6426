/** The read-only editor behind YamlView; loads in a chunk of its own. */
import { highlightSelectionMatches } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { basics } from "./basics";
import classes from "./editor.module.css";
import { textFollow } from "./follow";

export default function CodeView({ text, label }: { text: string; label: string }) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const first = useRef(text);

  useEffect(() => {
    if (!place.current) return;
    const made = new EditorView({
      parent: place.current,
      doc: first.current,
      extensions: [
        basics(),
        highlightSelectionMatches(),
        EditorState.readOnly.of(true),
        EditorView.editable.of(false),
        EditorView.contentAttributes.of({
          tabindex: "0",
          "aria-label": label,
          "aria-readonly": "true",
        }),
      ],
    });
    view.current = made;
    return () => made.destroy();
  }, [label]);

  useEffect(() => {
    first.current = text;
    if (view.current) textFollow(view.current, text);
  }, [text]);

  return <div ref={place} className={classes.view} />;
}
