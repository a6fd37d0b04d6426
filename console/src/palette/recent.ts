/** The places that somebody went to lately, kept by this browser for the palette. */

export interface Place {
  /** What the place is called, and what kind of place it is. */
  title: string;
  detail: string;
  /** Its address, without the project that links keep. */
  href: string;
}

const KEY = "podium-recent";
const KEPT = 8;

export function recentRead(): Place[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter(isPlace).slice(0, KEPT) : [];
  } catch {
    return [];
  }
}

export function recentAdd(place: Place): void {
  const others = recentRead().filter(({ href }) => href !== place.href);
  try {
    localStorage.setItem(KEY, JSON.stringify([place, ...others].slice(0, KEPT)));
  } catch {
    // Storage may be switched off; then nothing is remembered.
  }
}

/** Another person begins without them. */
export function recentClear(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}

function isPlace(value: unknown): value is Place {
  const place = value as Partial<Place> | null;
  return (
    typeof place?.title === "string" &&
    typeof place.detail === "string" &&
    typeof place.href === "string" &&
    // An address of the console, and of nowhere else.
    /^\/(?!\/)/.test(place.href)
  );
}
