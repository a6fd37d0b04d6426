/** The search of a log: how many lines have the words, and which of them is looked at. */
import { TextInput } from "@mantine/core";
import type { RefObject } from "react";
import type { LogLine } from "../../api/types";
import { IconButton } from "../../frame/IconButton";
import { ArrowIcon, SearchIcon } from "../../frame/icons";
import classes from "./logs.module.css";

interface Props {
  inputRef: RefObject<HTMLInputElement | null>;
  words: string;
  found: readonly LogLine[];
  chosen: LogLine | null;
  onWords: (words: string) => void;
  onMove: (by: 1 | -1) => void;
}

export function LogSearch({ inputRef, words, found, chosen, onWords, onMove }: Props) {
  return (
    <search className={classes.search} aria-label="Search the log">
      <TextInput
        ref={inputRef}
        className={classes.searchField}
        size="xs"
        type="search"
        aria-label="Search the log"
        placeholder="Search the log"
        title="Search the log (f)"
        leftSection={<SearchIcon />}
        value={words}
        onChange={(event) => onWords(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") onMove(event.shiftKey ? -1 : 1);
          if (event.key === "Escape") {
            onWords("");
            event.currentTarget.blur();
          }
        }}
      />
      {words && (
        <>
          <span className={classes.found} role="status">
            {foundInWords(found, chosen)}
          </span>
          <IconButton
            label="Line before (p)"
            disabled={found.length < 2}
            onClick={() => onMove(-1)}
          >
            <ArrowIcon up />
          </IconButton>
          <IconButton label="Next line (n)" disabled={found.length < 2} onClick={() => onMove(1)}>
            <ArrowIcon />
          </IconButton>
        </>
      )}
    </search>
  );
}

/** 3 of 17 */
export function foundInWords(found: readonly LogLine[], chosen: LogLine | null): string {
  if (found.length === 0) return "No line";
  const at = chosen ? found.indexOf(chosen) + 1 : 0;
  const count = found.length.toLocaleString("en");
  return at > 0 ? `${at.toLocaleString("en")} of ${count}` : count;
}
