/** Keeps a list as it was while the pointer is on it, so that nothing moves away from under it. */
import { type PointerEvent, useRef, useState } from "react";

interface Still<Value> {
  shown: Value;
  /** For the element that has the list. */
  handlers: {
    onPointerEnter: (event: PointerEvent) => void;
    onPointerLeave: () => void;
  };
}

/** `key` says what the list is of: when it changes, as by "Show more", the new one is shown. */
export function useStill<Value>(value: Value, key: number): Still<Value> {
  const [held, setHeld] = useState(false);
  const kept = useRef({ value, key });
  if (!held || kept.current.key !== key) kept.current = { value, key };
  return {
    shown: kept.current.value,
    handlers: {
      onPointerEnter: (event) => setHeld(event.pointerType === "mouse"),
      onPointerLeave: () => setHeld(false),
    },
  };
}
