/** A list of choices driven from a text field: arrows move, Enter chooses. Palette and switcher. */
import { type KeyboardEvent, useEffect, useId, useState } from "react";

interface Listbox {
  active: number;
  setActive: (at: number) => void;
  /** For the text field. */
  field: {
    role: "combobox";
    "aria-expanded": true;
    "aria-autocomplete": "list";
    "aria-controls": string;
    "aria-activedescendant": string | undefined;
    onKeyDown: (event: KeyboardEvent) => void;
  };
  listId: string;
  optionId: (at: number) => string;
}

/** `what` tells lists apart: with another one, the first choice is active again. */
export function useListbox(length: number, what: string, choose: (at: number) => void): Listbox {
  const id = useId();
  const [chosen, setActive] = useState(0);
  const active = Math.min(chosen, Math.max(0, length - 1));
  const optionId = (at: number) => `${id}-${at}`;

  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins at its top.
  useEffect(() => setActive(0), [what]);
  useEffect(() => {
    document.getElementById(`${id}-${active}`)?.scrollIntoView?.({ block: "nearest" });
  }, [id, active]);

  function onKeyDown(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing || length === 0) return;
    const steps: Record<string, number> = {
      ArrowDown: (active + 1) % length,
      ArrowUp: (active - 1 + length) % length,
      PageDown: Math.min(active + 8, length - 1),
      PageUp: Math.max(active - 8, 0),
    };
    const next = steps[event.key];
    if (next !== undefined) {
      event.preventDefault();
      setActive(next);
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(active);
    }
  }

  return {
    active,
    setActive,
    listId: `${id}-list`,
    optionId,
    field: {
      role: "combobox",
      "aria-expanded": true,
      "aria-autocomplete": "list",
      "aria-controls": `${id}-list`,
      "aria-activedescendant": length > 0 ? optionId(active) : undefined,
      onKeyDown,
    },
  };
}
