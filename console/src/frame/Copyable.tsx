/** A text in monospace with a button that copies it. */
import { CopyButton, UnstyledButton } from "@mantine/core";
import classes from "./frame.module.css";
import { CheckIcon, CopyIcon } from "./icons";

export function Copyable({ text, block = false }: { text: string; block?: boolean }) {
  return (
    <span className={classes.copyable} data-block={block || undefined}>
      <code>{text}</code>
      <CopyButton value={text} timeout={1500}>
        {({ copied, copy }) => (
          <UnstyledButton
            className={classes.copy}
            onClick={copy}
            aria-label={copied ? "Copied" : `Copy ${text}`}
          >
            {copied ? <CheckIcon /> : <CopyIcon />}
          </UnstyledButton>
        )}
      </CopyButton>
    </span>
  );
}
