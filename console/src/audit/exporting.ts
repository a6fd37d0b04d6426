/** Reads all entries that fit the filters, page by page, and gives them as JSON Lines. */
import { useRef, useState } from "react";
import { answered, api } from "../api/client";
import { type AuditSearch, listed, queryOf } from "./search";

const PAGE = 500;
/** More is for the sealed export, which the server streams. */
export const EXPORT_MAX = 100_000;

export interface Exported {
  lines: string[];
  /** Whether there are more than were taken. */
  cut: boolean;
}

export async function entriesRead(
  search: AuditSearch,
  project: string | undefined,
  onCount: (count: number) => void,
  signal: AbortSignal,
): Promise<Exported> {
  const query = queryOf(listed(search), project);
  const lines: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await answered(
      api.GET("/api/v1/audit", {
        params: { query: { ...query, limit: PAGE, ...(cursor && { cursor }) } },
        signal,
      }),
    );
    for (const each of page.items) lines.push(JSON.stringify(each));
    cursor = page.next_cursor ?? undefined;
    onCount(lines.length);
  } while (cursor && lines.length < EXPORT_MAX);
  return { lines: lines.slice(0, EXPORT_MAX), cut: cursor !== undefined };
}

interface Export {
  /** How many were read so far; null while nothing is under way. */
  count: number | null;
  /** What came of the last one. */
  note: string;
  start: (search: AuditSearch, project: string | undefined) => void;
  stop: () => void;
}

export function useExport(): Export {
  const [count, setCount] = useState<number | null>(null);
  const [note, setNote] = useState("");
  const under = useRef<AbortController | null>(null);

  async function run(search: AuditSearch, project: string | undefined) {
    const control = new AbortController();
    under.current = control;
    setNote("");
    setCount(0);
    try {
      const { lines, cut } = await entriesRead(search, project, setCount, control.signal);
      if (lines.length > 0) textSave(`${lines.join("\n")}\n`, "podium-audit-filtered.jsonl");
      setNote(endInWords(lines.length, cut));
    } catch (error) {
      setNote(control.signal.aborted ? "" : (error as Error).message);
    }
    setCount(null);
  }

  return {
    count,
    note,
    start: (search, project) => void run(search, project),
    stop: () => under.current?.abort(),
  };
}

function endInWords(count: number, cut: boolean): string {
  if (count === 0) return "Nothing fits, so there is no file.";
  const entries = `${count.toLocaleString("en")} ${count === 1 ? "entry" : "entries"}`;
  return cut ? `Wrote the newest ${entries}. Narrow the time for older ones.` : `Wrote ${entries}.`;
}

function textSave(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
