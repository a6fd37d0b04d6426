/** Brings a view to another text by the one piece that differs, so that the cursor, the folds and
 * the history of what is around it stay. */
import { Annotation, Transaction } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";

/** On changes that came from outside of the editor. */
export const fromOutside = Annotation.define<true>();

export function textFollow(view: EditorView, text: string): void {
  const now = view.state.doc.toString();
  if (now === text) return;
  const { from, to, insert } = difference(now, text);
  view.dispatch({
    changes: { from, to, insert },
    annotations: [fromOutside.of(true), Transaction.userEvent.of("input.form")],
  });
}

/** The one piece of `before` that was replaced, and by what. */
export function difference(before: string, after: string) {
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && before[from] === after[from]) from += 1;
  let same = 0;
  while (
    same < shorter - from &&
    before[before.length - 1 - same] === after[after.length - 1 - same]
  ) {
    same += 1;
  }
  return { from, to: before.length - same, insert: after.slice(from, after.length - same) };
}
