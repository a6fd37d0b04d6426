/** Which lines of the resolved spec were not written by whoever submitted it. Pure. */

export interface SpecLine {
  text: string;
  /** Filled in by the server, or changed since. */
  added: boolean;
}

/** By the longest common run of lines, so that what was moved in between marks only what is new. */
export function linesMarked(submitted: string, resolved: string): SpecLine[] {
  const before = linesOf(submitted);
  const after = linesOf(resolved);
  const lengths = Array.from({ length: before.length + 1 }, () => new Int32Array(after.length + 1));
  const length = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      const row = lengths[i];
      if (!row) continue;
      row[j] =
        before[i] === after[j]
          ? length(i + 1, j + 1) + 1
          : Math.max(length(i + 1, j), length(i, j + 1));
    }
  }
  const found: SpecLine[] = [];
  let i = 0;
  for (let j = 0; j < after.length; j += 1) {
    while (i < before.length && before[i] !== after[j] && length(i + 1, j) >= length(i, j + 1)) {
      i += 1;
    }
    const kept = i < before.length && before[i] === after[j];
    if (kept) i += 1;
    found.push({ text: after[j] ?? "", added: !kept });
  }
  return found;
}

/** Objects whose keys are in the order of `like`, so that equal things stand in equal places. */
export function orderedLike(value: unknown, like: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((each, at) => orderedLike(each, Array.isArray(like) ? like[at] : undefined));
  }
  if (!isRecord(value)) return value;
  const model = isRecord(like) ? like : {};
  const names = [...Object.keys(model).filter((name) => name in value), ...Object.keys(value)];
  return Object.fromEntries(
    [...new Set(names)].map((name) => [name, orderedLike(value[name], model[name])]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, "").split("\n");
}
