/** How well a few typed letters fit a name. Pure. */

/**
 * From 1 (the name itself) down to just over 0; 0 when the letters are not in it in this order.
 * Beginnings of words count more than letters within them, and letters in a row more than strewn.
 */
export function matchScore(name: string, typed: string): number {
  const query = typed.trim().toLowerCase();
  const text = name.toLowerCase();
  if (query === "") return 0.5;
  if (text === query) return 1;
  if (text.startsWith(query)) return 0.95;
  const at = text.search(new RegExp(`(?<![a-z0-9])${escaped(query)}`));
  if (at > 0) return 0.85;
  if (text.includes(query)) return 0.7;
  const words = query.split(/\s+/);
  if (words.length > 1 && words.every((word) => text.includes(word))) return 0.65;
  return 0.5 * lettersScore(text, query.replaceAll(/\s+/g, ""));
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The share of letters that begin a word or follow the letter before; 0 if one is missing. */
function lettersScore(text: string, letters: string): number {
  let at = -1;
  let good = 0;
  for (const letter of letters) {
    const found = text.indexOf(letter, at + 1);
    if (found < 0) return 0;
    if (found === at + 1 || !/[a-z0-9]/.test(text[found - 1] ?? " ")) good += 1;
    at = found;
  }
  // Letters strewn over a long text are an accident.
  return good / letters.length >= 0.5 ? good / letters.length : 0;
}
