/** Tab indents, and after Escape it leaves: without a time limit, so that nobody must hurry. */
import { Prec, type StateCommand } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";

const STAYS = new Set(["Tab", "Escape", "Shift"]);

export function tabs(indent: StateCommand, outdent: StateCommand) {
  return [
    EditorView.domEventObservers({
      keydown: (event, view) => {
        if (!STAYS.has(event.key)) view.setTabFocusMode(false);
      },
      blur: (_, view) => view.setTabFocusMode(false),
    }),
    keymap.of([{ key: "Tab", run: indent, shift: outdent }]),
    // Last of all: Escape first closes what is open, such as a list of completions.
    Prec.lowest(
      keymap.of([
        {
          key: "Escape",
          run: (view) => {
            view.setTabFocusMode(true);
            return true;
          },
        },
      ]),
    ),
  ];
}
