/** What one is writing, kept in the browser for each person: across reloads, and one earlier draft
 * beside it, so that beginning anew loses nothing. */

export interface Draft {
  text: string;
  /** What it began as; a draft that still says it is worth no keeping. */
  begun: string;
  /** Where it came from: "", "from:ID" or "example:NAME". */
  origin: string;
  /** The last try to submit. The same text with the same key is never taken twice. */
  attempt?: { key: string; text: string } | undefined;
}

export interface Drafts {
  current: Draft | null;
  earlier: Draft | null;
}

const NONE: Drafts = { current: null, earlier: null };

export function draftBegin(begun: string, origin = ""): Draft {
  return { text: begun, begun, origin };
}

export function isChanged(draft: Draft | null): draft is Draft {
  return draft !== null && draft.text !== draft.begun && draft.text.trim() !== "";
}

/** A new draft takes the place of the current one, which is kept if something was written in it. */
export function draftsBegin(drafts: Drafts, next: Draft): Drafts {
  return {
    current: next,
    earlier: isChanged(drafts.current) ? drafts.current : drafts.earlier,
  };
}

/** The earlier draft comes back, and the current one is kept in its place. */
export function draftsSwap({ current, earlier }: Drafts): Drafts {
  return { current: earlier, earlier: isChanged(current) ? current : null };
}

/** A key for this text: the one of the last try, if that was of the same text. */
export function attemptOf(draft: Draft, keyMake: () => string): { key: string; text: string } {
  return draft.attempt?.text === draft.text ? draft.attempt : { key: keyMake(), text: draft.text };
}

export function keyMake(): string {
  // Browsers offer randomUUID to secure pages only; Podium may be served over plain HTTP.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `console-${Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("")}`;
}

export function draftsLoad(username: string): Drafts {
  try {
    const kept = JSON.parse(window.localStorage.getItem(place(username)) ?? "null");
    return { current: draftRead(kept?.current), earlier: draftRead(kept?.earlier) };
  } catch {
    return NONE;
  }
}

export function draftsKeep(username: string, drafts: Drafts): void {
  const kept = {
    current: isChanged(drafts.current) ? drafts.current : null,
    earlier: drafts.earlier,
  };
  try {
    if (kept.current || kept.earlier) {
      window.localStorage.setItem(place(username), JSON.stringify(kept));
    } else window.localStorage.removeItem(place(username));
  } catch {
    // A browser that keeps nothing still lets one write and submit.
  }
}

function draftRead(kept: unknown): Draft | null {
  if (typeof kept !== "object" || kept === null) return null;
  const { text, begun, origin, attempt } = kept as Record<string, unknown>;
  if (typeof text !== "string" || typeof begun !== "string" || typeof origin !== "string") {
    return null;
  }
  return { text, begun, origin, attempt: attemptRead(attempt) };
}

function attemptRead(kept: unknown): Draft["attempt"] {
  if (typeof kept !== "object" || kept === null) return undefined;
  const { key, text } = kept as Record<string, unknown>;
  return typeof key === "string" && typeof text === "string" ? { key, text } : undefined;
}

function place(username: string): string {
  return `podium-draft:${username}`;
}
