/** What the editor takes, whether or not CodeMirror could be loaded. */
import type { Ref } from "react";
import type { EditorReach, Mark } from "./marks";
import type { Schema } from "./schema";

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
