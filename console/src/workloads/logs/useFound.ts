/**
 * The lines that have the words: of those here at once, and of the whole log as the server finds
 * them. What is written meanwhile is looked at as it comes.
 */
import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useState } from "react";
import { type HeldLine, lineHeld } from "./lines";
import { type LogOf, logPageFetch } from "./queries";
import { joined, linesFound } from "./search";
import { inOrder, type LogSession } from "./session";

const TYPING_MS = 250;
/** A search that finds more says so; who wants all of them has the download. */
const FOUND_MAX = 10_000;
/** The server reads 64 MiB at a time; after so many times the reader is asked. */
const READS_AT_ONCE = 8;

export interface Found {
  lines: readonly HeldLine[];
  /** From where the search may go on; null when all was searched. */
  older: string | null;
  searching: boolean;
  searchedBytes: number;
  error: Error | null;
}

const nothing: Found = { lines: [], older: null, searching: false, searchedBytes: 0, error: null };

export function useFound(
  { id, ranks, attempt }: LogOf,
  session: LogSession,
  words: string,
  /** Whether there is more of the log than is here. */
  more: boolean,
): { found: Found; searchOn: () => void } {
  const [settled] = useDebouncedValue(words, TYPING_MS);
  const [found, setFound] = useState(nothing);
  const [from, setFrom] = useState<string | null>(null);
  const asked = ranks.join(" ");

  useEffect(() => {
    setFound({ ...nothing, lines: linesFound(session.buffer.lines, words).slice(-FOUND_MAX) });
    setFrom(null);
    session.onWritten = (lines) => {
      const fresh = linesFound(lines, words);
      if (fresh.length > 0) {
        setFound((held) => ({
          ...held,
          lines: joined(held.lines, fresh, inOrder).slice(-FOUND_MAX),
        }));
      }
    };
    return () => {
      session.onWritten = () => {};
    };
  }, [session, words]);

  useEffect(() => {
    if (!more || settled === "" || settled !== words) return;
    const control = new AbortController();
    const log = { id, ranks: asked === "" ? [] : asked.split(" ").map(Number), attempt };
    void searchWhole(log, settled, from, control.signal, (change) =>
      setFound((held) => ({
        ...held,
        ...change,
        lines: joined(held.lines, change.lines, inOrder).slice(-FOUND_MAX),
        searchedBytes: held.searchedBytes + change.searchedBytes,
      })),
    );
    return () => control.abort();
  }, [id, asked, attempt, settled, words, more, from]);

  return { found, searchOn: () => setFrom(found.older) };
}

async function searchWhole(
  log: LogOf,
  q: string,
  from: string | null,
  signal: AbortSignal,
  tell: (found: Found) => void,
): Promise<void> {
  let before = from;
  let count = 0;
  tell({ ...nothing, searching: true });
  try {
    for (let reads = 1; ; reads += 1) {
      const query = { q, limit: 2_000, ...(before !== null && { before }) };
      const page = await logPageFetch(log, query, signal);
      if (signal.aborted) return;
      before = page.older ?? null;
      count += page.items.length;
      const enough = before === null || reads >= READS_AT_ONCE || count >= FOUND_MAX;
      tell({
        lines: page.items.map(lineHeld),
        older: before,
        searching: !enough,
        searchedBytes: page.searched_bytes,
        error: null,
      });
      if (enough) return;
    }
  } catch (error) {
    if (!signal.aborted) tell({ ...nothing, error: error as Error });
  }
}
