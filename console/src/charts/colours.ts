/**
 * The colours of series: Okabe and Ito's set, told apart by colour-blind eyes, in shades that can be
 * seen on either scheme's ground. An entity keeps its colour wherever it is drawn among the same.
 */
interface Shades {
  light: string;
  dark: string;
}

export const seriesColours: readonly Shades[] = [
  { light: "#0072b2", dark: "#4a9fdb" },
  { light: "#b87400", dark: "#e69f00" },
  { light: "#00835f", dark: "#1fb588" },
  { light: "#b5568a", dark: "#dc8fb9" },
  { light: "#2a8fc7", dark: "#8fd0f5" },
  { light: "#cc5500", dark: "#ef7b36" },
  { light: "#8c7f00", dark: "#f0e442" },
  { light: "#454c54", dark: "#b6bdc6" },
];

/** The place of `id` among `all`, by name, with rank 2 before rank 10. */
export function placeOf(id: string, all: readonly string[]): number {
  let place = 0;
  for (const other of new Set(all)) if (inOrder(other, id) < 0) place += 1;
  return place;
}

const collator = new Intl.Collator("en", { numeric: true });

function inOrder(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** For style sheets: follows the scheme by itself. */
export function colourAt(place: number): string {
  const found = seriesColours[place % seriesColours.length];
  if (!found) throw new Error(`No colour at ${place}.`);
  return `light-dark(${found.light}, ${found.dark})`;
}

/** The ninth series has the first one's colour, and is dashed. */
export function isDashed(place: number): boolean {
  return Math.floor(place / seriesColours.length) % 2 === 1;
}
