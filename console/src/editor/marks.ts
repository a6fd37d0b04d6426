/** What the editor is handed and hands back, free of CodeMirror so that pages can name it. */

/** A fault at a piece of the text; `from` and `to` count characters from its start. */
export interface Mark {
  from: number;
  to: number;
  message: string;
}

/** Lets a page put the cursor somewhere. */
export interface EditorReach {
  focusAt: (offset: number) => void;
}
