/** The drafts of who is signed in, kept in the browser as they are written. */
import { useCallback, useEffect, useRef, useState } from "react";
import { type Drafts, draftsKeep, draftsLoad } from "./draft";

const KEEP_AFTER_MS = 300;

export function useDrafts(username: string) {
  const [drafts, setDrafts] = useState<Drafts>(() => draftsLoad(username));
  const latest = useRef(drafts);
  latest.current = drafts;

  useEffect(() => {
    const timer = setTimeout(() => draftsKeep(username, drafts), KEEP_AFTER_MS);
    return () => clearTimeout(timer);
  }, [username, drafts]);

  // Whoever leaves within that moment has it kept all the same.
  useEffect(() => {
    const keep = () => draftsKeep(username, latest.current);
    window.addEventListener("pagehide", keep);
    return () => {
      window.removeEventListener("pagehide", keep);
      keep();
    };
  }, [username]);

  /** Changes the drafts and keeps them at once: for what must survive a lost answer. */
  const update = useCallback(
    (change: (drafts: Drafts) => Drafts, { now = false } = {}) => {
      if (now) {
        latest.current = change(latest.current);
        draftsKeep(username, latest.current);
        setDrafts(latest.current);
      } else setDrafts(change);
    },
    [username],
  );
  return { drafts, update };
}
