/** Keeps the fields of a choice in their place while one types in them: a field that is empty for
 * a moment, or "0." on its way to 0.5, must not change what is asked. */
import { type FocusEvent, useState } from "react";

export function useHeldMode<Mode>(found: Mode) {
  const [held, setHeld] = useState<Mode | null>(null);
  const hold = {
    onFocus: () => setHeld((mode) => mode ?? found),
    onBlur: ({ currentTarget, relatedTarget }: FocusEvent) => {
      if (!currentTarget.contains(relatedTarget)) setHeld(null);
    },
  };
  return { mode: held ?? found, hold };
}
