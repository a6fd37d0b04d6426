/** The editor behind YamlEditor; loads in a chunk of its own. */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import {
  defaultKeymap,
  history,
  historyKeymap,
  indentLess,
  indentMore,
} from "@codemirror/commands";
import { indentOnInput, indentUnit } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches } from "@codemirror/search";
import { EditorState, Prec } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  keymap,
  placeholder,
  tooltips,
} from "@codemirror/view";
import { useEffect, useImperativeHandle, useRef } from "react";
import { basics } from "./basics";
import { completed } from "./completion";
import classes from "./editor.module.css";
import { fromOutside, textFollow } from "./follow";
import { nameAt } from "./place";
import type { EditorProps } from "./props";
import { fieldWords } from "./schema";
import { tabs } from "./tabs";
import { wordsDraw } from "./wordsDraw";

export default function CodeEditor(props: EditorProps) {
  const { text, label, describedBy, marks, reach } = props;
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    if (!place.current) return;
    const made = new EditorView({
      parent: place.current,
      doc: latest.current.text,
      extensions: [
        Prec.highest(
          keymap.of([
            {
              key: "Mod-Enter",
              run: () => {
                latest.current.onSubmit?.();
                return latest.current.onSubmit !== undefined;
              },
            },
          ]),
        ),
        lintGutter(),
        basics(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        highlightSelectionMatches(),
        indentOnInput(),
        indentUnit.of("  "),
        EditorState.tabSize.of(2),
        closeBrackets(),
        autocompletion({
          icons: false,
          override: [
            (context) =>
              completed(context, {
                schema: latest.current.schema,
                known: latest.current.known ?? {},
              }),
          ],
        }),
        hoverTooltip(({ state }, position) => wordsAt(state, position, latest.current)),
        tooltips({ position: "fixed" }),
        tabs(indentMore, indentLess),
        keymap.of([
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...historyKeymap,
          ...lintKeymap,
          ...defaultKeymap,
        ]),
        placeholder("name: my-workload"),
        EditorView.contentAttributes.of({
          tabindex: "0",
          "aria-label": label,
          ...(describedBy && { "aria-describedby": describedBy }),
        }),
        EditorView.updateListener.of((update) => {
          const outside = update.transactions.some((each) => each.annotation(fromOutside));
          if (update.docChanged && !outside) latest.current.onChange(update.state.doc.toString());
        }),
      ],
    });
    view.current = made;
    return () => made.destroy();
  }, [label, describedBy]);

  useEffect(() => {
    if (view.current) textFollow(view.current, text);
  }, [text]);

  useEffect(() => {
    const { current } = view;
    if (!current) return;
    const size = current.state.doc.length;
    current.dispatch(
      setDiagnostics(
        current.state,
        (marks ?? []).map(({ from, to, message }) => ({
          from: Math.min(from, size),
          to: Math.min(to, size),
          message,
          severity: "error" as const,
        })),
      ),
    );
  }, [marks]);

  useImperativeHandle(
    reach,
    () => ({
      focusAt: (offset) => {
        const { current } = view;
        if (!current) return;
        const anchor = Math.min(offset, current.state.doc.length);
        current.dispatch({
          selection: { anchor },
          effects: EditorView.scrollIntoView(anchor, { y: "center" }),
        });
        current.focus();
      },
    }),
    [],
  );

  return <div ref={place} className={classes.editor} />;
}

function wordsAt(state: EditorState, position: number, { schema }: EditorProps) {
  const named = schema && nameAt(state.doc.toString(), position);
  const words = named ? fieldWords(schema, named.path) : null;
  if (!named || !words) return null;
  return {
    pos: named.from,
    end: named.to,
    above: true,
    create: () => ({ dom: wordsDraw(words) }),
  };
}
