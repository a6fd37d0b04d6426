/** The editor dressed in the tokens of theme/tokens.css, which know both schemes. */
import { HighlightStyle } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** Colour means state elsewhere, so names have the accent and all else is a shade of ink. */
export const colours = HighlightStyle.define([
  { tag: tags.definition(tags.propertyName), color: "var(--accent)" },
  { tag: [tags.content, tags.string], color: "var(--ink)" },
  { tag: tags.comment, color: "var(--ink-3)", fontStyle: "italic" },
  {
    tag: [
      tags.separator,
      tags.punctuation,
      tags.squareBracket,
      tags.brace,
      tags.special(tags.string),
    ],
    color: "var(--ink-3)",
  },
  { tag: [tags.labelName, tags.typeName, tags.keyword, tags.meta], color: "var(--ink-2)" },
]);

const floating = {
  backgroundColor: "var(--surface)",
  border: "1px solid var(--line)",
  borderRadius: "6px",
  boxShadow: "var(--shadow)",
  color: "var(--ink)",
};

export const look = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--surface)", color: "var(--ink)", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--accent)" },
  ".cm-line": { padding: "0 12px 0 4px" },
  ".cm-placeholder": { color: "var(--ink-3)" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, ::selection":
    { backgroundColor: "var(--accent-soft)" },
  ".cm-gutters": {
    backgroundColor: "var(--surface)",
    borderRight: "0",
    color: "var(--ink-3)",
    fontVariantNumeric: "tabular-nums",
  },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 4px 0 12px", minWidth: "36px" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine": { backgroundColor: "var(--hover)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLineGutter": { backgroundColor: "var(--hover)", color: "var(--ink)" },
  ".cm-foldGutter .cm-gutterElement": { width: "16px", cursor: "pointer" },
  ".cm-podiumFold": {
    display: "inline-block",
    width: "5px",
    height: "5px",
    margin: "0 0 2px 4px",
    borderRight: "1.5px solid var(--ink-3)",
    borderBottom: "1.5px solid var(--ink-3)",
    transform: "rotate(-45deg)",
  },
  '.cm-podiumFold[data-open="true"]': { transform: "rotate(45deg) translateY(-2px)", opacity: "0" },
  '.cm-gutters:hover .cm-podiumFold[data-open="true"], &.cm-focused .cm-podiumFold[data-open="true"]':
    { opacity: "1" },
  ".cm-foldPlaceholder": {
    padding: "0 6px",
    backgroundColor: "var(--sunken)",
    border: "1px solid var(--line)",
    borderRadius: "4px",
    color: "var(--ink-3)",
  },
  "&.cm-focused .cm-matchingBracket": {
    backgroundColor: "transparent",
    outline: "1px solid var(--accent)",
  },
  "&.cm-focused .cm-nonmatchingBracket": {
    backgroundColor: "transparent",
    outline: "1px solid var(--state-failed)",
  },
  ".cm-selectionMatch": { backgroundColor: "var(--sunken)" },
  ".cm-searchMatch": {
    backgroundColor: "var(--accent-soft)",
    outline: "1px solid var(--line-strong)",
  },
  ".cm-searchMatch-selected": { outline: "2px solid var(--accent)" },

  // The library's marks are pictures in data: addresses, which the server's policy may refuse.
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--state-failed)",
    textUnderlineOffset: "3px",
    textDecorationSkipInk: "none",
  },
  ".cm-lintPoint-error:after": { borderBottomColor: "var(--state-failed)" },
  ".cm-gutter-lint": { width: "14px" },
  ".cm-gutter-lint .cm-gutterElement": { padding: "0" },
  ".cm-lint-marker": { width: "8px", height: "8px", margin: "6px 3px" },
  ".cm-lint-marker-error": {
    content: "none",
    borderRadius: "4px",
    backgroundColor: "var(--state-failed)",
  },
  ".cm-lint-marker:before": { content: "none" },
  ".cm-diagnostic": {
    padding: "4px 10px",
    borderLeft: "2px solid var(--state-failed)",
    fontFamily: "inherit",
    fontSize: "12px",
    lineHeight: "16px",
    whiteSpace: "pre-wrap",
  },

  ".cm-tooltip": { ...floating, maxWidth: "min(420px, 90vw)", overflow: "hidden" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    fontFamily: "var(--mono)",
    fontSize: "12px",
    maxHeight: "240px",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "4px 8px", lineHeight: "16px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--accent-soft)",
    color: "var(--ink)",
  },
  ".cm-completionDetail": { color: "var(--ink-3)", fontStyle: "normal", marginLeft: "12px" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "600" },
  ".cm-tooltip.cm-completionInfo": { ...floating, padding: "8px 12px", width: "280px" },
  ".cm-podiumWords": { padding: "8px 12px", fontSize: "12px", lineHeight: "16px" },
  ".cm-completionInfo .cm-podiumWords": { padding: "0" },
  ".cm-podiumWords p": { margin: "0 0 4px" },
  ".cm-podiumWords p:last-child": { margin: "0" },
  ".cm-podiumWords code": { fontFamily: "var(--mono)", fontSize: "12px" },
  ".cm-podiumWords .cm-podiumNote": { color: "var(--ink-3)" },

  ".cm-panels": { backgroundColor: "var(--canvas)", color: "var(--ink)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panels.cm-panels-bottom": { borderTop: "1px solid var(--line)" },
  ".cm-panel.cm-search": { padding: "8px 32px 8px 12px", fontSize: "12px" },
  ".cm-panel.cm-search label": { fontSize: "12px" },
  ".cm-textfield": {
    height: "24px",
    padding: "0 8px",
    backgroundColor: "var(--surface)",
    border: "1px solid var(--line)",
    borderRadius: "4px",
    color: "var(--ink)",
    fontSize: "12px",
  },
  ".cm-button": {
    height: "24px",
    padding: "0 8px",
    backgroundImage: "none",
    backgroundColor: "var(--surface)",
    border: "1px solid var(--line)",
    borderRadius: "4px",
    color: "var(--ink)",
    fontSize: "12px",
  },
  ".cm-button:active": { backgroundImage: "none", backgroundColor: "var(--hover)" },
  ".cm-panel.cm-search [name=close]": { top: "8px", right: "12px", color: "var(--ink-3)" },
});
