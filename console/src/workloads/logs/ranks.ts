/** Ranks as people write them: 0-3, 7. */

/** null where it is no list of ranks below `total`. Ranges are cut at `most` ranks. */
export function ranksRead(text: string, total: number, most: number): number[] | null {
  const found = new Set<number>();
  for (const part of text.split(/[,\s]+/).filter(Boolean)) {
    const [, from, to] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part) ?? [];
    if (from === undefined) return null;
    const last = Number(to ?? from);
    if (last >= total || last < Number(from)) return null;
    for (let rank = Number(from); rank <= last && found.size < most; rank += 1) found.add(rank);
  }
  return [...found].sort((a, b) => a - b);
}

/** 0-2, 7 */
export function ranksWritten(ranks: readonly number[]): string {
  return runsOf(ranks)
    .map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`))
    .join(", ");
}

/** 0 to 6, 9 */
export function ranksInWords(ranks: readonly number[]): string {
  return runsOf(ranks)
    .map(([from, to]) =>
      from === to ? `${from}` : to === from + 1 ? `${from}, ${to}` : `${from} to ${to}`,
    )
    .join(", ");
}

function runsOf(ranks: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const rank of [...ranks].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && rank === run[1] + 1) run[1] = rank;
    else runs.push([rank, rank]);
  }
  return runs;
}
