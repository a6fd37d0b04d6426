/** What verifying has shown, in words, and what to do about it. Pure. */
import type { AuditFault, AuditVerdict } from "../api/types";
import { counted } from "../quantity/words";
import { durationInWords } from "../time/words";

/** "Whole: entries 1 to 37 are as they were written." */
export function verdictTitle(verdict: AuditVerdict): string {
  const { ok, entries, first_seq, last_seq, first_fault_seq } = verdict;
  if (ok && entries === 0) return "Whole: there are no entries.";
  if (ok) return `Whole: entries ${spanInWords(first_seq, last_seq)} are as they were written.`;
  return `Changed: entry ${number(first_fault_seq ?? first_seq)} is the first that may be wrong.`;
}

/** What was looked at, how much of it is signed, and how long it took. */
export function verdictNote(verdict: AuditVerdict): string {
  const { ok, entries, first_seq, last_seq, sealed_seq, unsealed, seals, took_ms } = verdict;
  const found = ok
    ? ""
    : `${counted(verdict.fault_count, "fault")} in entries ${spanInWords(first_seq, last_seq)}. `;
  const sealed =
    unsealed === 0
      ? `All of it is sealed.`
      : `${sealed_seq > 0 ? `Sealed through entry ${number(sealed_seq)}; ` : ""}for ${counted(unsealed, "entry", "entries")} after that only the chain speaks.`;
  const took =
    took_ms < 1_000 ? `${Math.max(1, Math.round(took_ms))} ms` : durationInWords(took_ms / 1_000);
  const looked = `Looked at ${counted(entries, "entry", "entries")} and ${counted(seals, "seal")} in ${took}.`;
  return `${found}${ok ? `${sealed.charAt(0).toUpperCase()}${sealed.slice(1)} ` : ""}${looked}`;
}

/** "12", or "12 to 14" */
export function spanInWords(first: number, last: number): string {
  return first === last ? number(first) : `${number(first)} to ${number(last)}`;
}

/** What to do, in order. */
export function remedies(faults: readonly AuditFault[]): string[] {
  const kinds = new Set(faults.map(({ kind }) => kind));
  return [
    "Keep what is there: copy the database and audit-seals.jsonl from the server’s home folder before anything is repaired.",
    kinds.has("unsigned")
      ? "Look whether audit.key was replaced: with another key, older seals count as unsigned. Put the old one back."
      : "Find out what it said: compare with an earlier export, with what was forwarded, or with a backup. See who could write to the database then.",
    "Where the reason is known, such as a backup that was restored, declare a break: the trail goes on from here, and what is wrong stays on record.",
  ];
}

function number(value: number): string {
  return value.toLocaleString("en");
}
