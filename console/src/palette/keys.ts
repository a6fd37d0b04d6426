/** Runs commands by their keys: one key, or two within a moment. The frame uses it once. */
import { useEffect } from "react";
import { isInOverlay, isTyping } from "../frame/keys";
import { commandFind } from "./commands";
import { openedNow, paletteClose, paletteOpen, typedAheadAdd } from "./opened";

/** How long the second key of a pair is waited for. */
export const PAIR_MS = 1_500;

export function useCommandKeys(): void {
  useEffect(() => {
    let first: string | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;

    function press(event: KeyboardEvent) {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        paletteOpen();
        return;
      }
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target) || isInOverlay(event.target)) return;
      const keys = first === null ? event.key : `${first} ${event.key}`;
      first = null;
      clearTimeout(timer);
      const command = commandFind((each) => each.keys === keys);
      if (command) {
        event.preventDefault();
        command.run();
      } else if (commandFind((each) => each.keys?.startsWith(`${event.key} `) ?? false)) {
        first = event.key;
        timer = setTimeout(() => {
          first = null;
        }, PAIR_MS);
      }
    }

    window.addEventListener("keydown", press);
    // Before the page's own keys, which are not meant once the palette was asked for.
    window.addEventListener("keydown", ahead, { capture: true });
    return () => {
      window.removeEventListener("keydown", press);
      window.removeEventListener("keydown", ahead, { capture: true });
      clearTimeout(timer);
    };
  }, []);
}

/** Keeps what is typed after the palette was asked for and before it is there to take it. */
function ahead(event: KeyboardEvent): void {
  if (openedNow() !== "palette" || isInOverlay(event.target)) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") paletteClose();
  else if (event.key.length === 1) typedAheadAdd(event.key);
  else if (event.key !== "Enter") return;
  event.preventDefault();
  event.stopImmediatePropagation();
}
