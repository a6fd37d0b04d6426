/** The search of a log: how many lines have the words, and which of them is looked at. */
import { TextInput } from "@mantine/core";
import type { RefObject } from "react";
import { IconButton } from "../../frame/IconButton";
import { ArrowIcon, SearchIcon } from "../../frame/icons";
import { bytesInWords } from "../../quantity/words";
import { isAt, type Place } from "./lines";
import classes from "./logs.module.css";
import type { Found } from "./useFound";

interface Props {
  inputRef: RefObject<HTMLInputElement | null>;
  words: string;
  found: Found;
  chosen: Place | null;
  onWords: (words: string) => void;
  onMove: (by: 1 | -1) => void;
  onSearchOn: () => void;
}

export function LogSearch(props: Props) {
  const { inputRef, words, found, chosen, onWords, onMove, onSearchOn } = props;
  const few = found.lines.length < 1;
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
            event.stopPropagation();
          }
        }}
      />
      {words && (
        <>
          <span className={classes.found} role="status">
            {foundInWords(found, chosen)}
          </span>
          <IconButton label="Line before (N)" disabled={few} onClick={() => onMove(-1)}>
            <ArrowIcon up />
          </IconButton>
          <IconButton label="Next line (n)" disabled={few} onClick={() => onMove(1)}>
            <ArrowIcon />
          </IconButton>
          {found.older !== null && !found.searching && (
            <button type="button" className={classes.further} onClick={onSearchOn}>
              Search further back
            </button>
          )}
        </>
      )}
    </search>
  );
}

/** 3 of 17 */
export function foundInWords(found: Found, chosen: Place | null): string {
  const { lines, older, searching, searchedBytes, error } = found;
  if (error) return `Only of the lines here: ${lines.length}. ${error.message}`;
  const open = searching || older !== null;
  if (lines.length === 0) {
    if (searching) return "Searching…";
    return open ? `No line in the last ${bytesInWords(searchedBytes)}` : "No line";
  }
  const at = chosen ? lines.findIndex((line) => isAt(line, chosen)) + 1 : 0;
  const count = `${lines.length.toLocaleString("en")}${open ? "+" : ""}`;
  return at > 0 ? `${at.toLocaleString("en")} of ${count}` : count;
}
