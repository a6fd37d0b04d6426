/** A choice that this browser remembers, read by any component and changed in all tabs at once. */
import { useSyncExternalStore } from "react";

export interface Setting<Value extends string> {
  get: () => Value;
  set: (value: Value) => void;
  use: () => Value;
}

/** `values` are the allowed ones, the first unless something was chosen. */
export function settingCreate<Value extends string>(
  key: string,
  values: readonly [Value, ...Value[]],
): Setting<Value> {
  const listeners = new Set<() => void>();
  let held = read();

  function read(): Value {
    let stored: string | null = null;
    try {
      stored = localStorage.getItem(key);
    } catch {
      // Storage may be switched off; the choice then lasts as long as the page.
    }
    return values.find((each) => each === stored) ?? values[0];
  }

  function tell(next: Value): void {
    held = next;
    for (const each of listeners) each();
  }

  window.addEventListener("storage", (event) => {
    if (event.key === key) tell(read());
  });

  const get = () => held;
  return {
    get,
    set: (value) => {
      try {
        localStorage.setItem(key, value);
      } catch {
        // As above.
      }
      tell(value);
    },
    use: () =>
      useSyncExternalStore((listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      }, get),
  };
}
