/** A text in monospace with a button that copies it. */
import { useCopy } from "./clipboard";
import classes from "./frame.module.css";
import { CheckIcon, CopyIcon } from "./icons";

export function Copyable({ text, block = false }: { text: string; block?: boolean }) {
  const { copied, copy } = useCopy();
  return (
    <span className={classes.copyable} data-block={block || undefined}>
      <code>{text}</code>
      <button
        type="button"
        className={classes.copy}
        onClick={() => copy(text)}
        aria-label={copied ? "Copied" : `Copy ${text}`}
      >
        {copied ? <CheckIcon /> : <CopyIcon />}
      </button>
    </span>
  );
}
