/** What the editor to write in and the one to read have in common. */
import { yaml } from "@codemirror/lang-yaml";
import {
  bracketMatching,
  codeFolding,
  foldGutter,
  foldKeymap,
  syntaxHighlighting,
} from "@codemirror/language";
import { search, searchKeymap } from "@codemirror/search";
import type { Extension } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { nonce } from "../theme/nonce";
import { colours, look } from "./look";

export function basics(): Extension {
  return [
    lineNumbers(),
    codeFolding({ placeholderText: "…" }),
    foldGutter({ markerDOM: foldMark }),
    yaml(),
    syntaxHighlighting(colours),
    look,
    bracketMatching(),
    search({ top: true }),
    EditorView.lineWrapping,
    EditorView.cspNonce.of(nonce),
    keymap.of([...searchKeymap, ...foldKeymap]),
  ];
}

function foldMark(open: boolean): HTMLElement {
  const mark = document.createElement("span");
  mark.className = "cm-podiumFold";
  mark.dataset.open = String(open);
  mark.title = open ? "Fold" : "Unfold";
  return mark;
}
