/** What was typed into a form, kept until it is sent or left, also when the page is loaded anew. */
import { useCallback, useState } from "react";

/** The value, a way to change parts of it, and one to forget it. Never for secrets. */
export function useKept<Value extends object>(
  key: string,
  first: Value,
): [Value, (change: Partial<Value>) => void, () => void] {
  const place = `podium-form-${key}`;
  const [value, setValue] = useState<Value>(() => ({ ...first, ...read<Value>(place) }));
  const change = useCallback(
    (next: Partial<Value>) =>
      setValue((held) => {
        const made = { ...held, ...next };
        sessionStorage.setItem(place, JSON.stringify(made));
        return made;
      }),
    [place],
  );
  const forget = useCallback(() => sessionStorage.removeItem(place), [place]);
  return [value, change, forget];
}

function read<Value>(place: string): Partial<Value> {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(place) ?? "{}");
    return typeof found === "object" && found !== null ? (found as Partial<Value>) : {};
  } catch {
    return {};
  }
}
