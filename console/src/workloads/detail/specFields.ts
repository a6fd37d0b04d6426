/** Finds what belongs in a spec within a sentence, so that it is set as one would write it there. */

/** `gpus: 4`, and names that are no English words; "memory" and "replicas" alone are both. */
const fields =
  /\b(?:gpus|mig|cpus|memory|nodes|replicas|array|within|priority|[a-z]+(?:_[a-z]+)+): [\w.]*\w|\b[a-z]+(?:_[a-z]+)+\b|\btopology\.\w+/g;

export interface Piece {
  at: number;
  text: string;
  field: boolean;
}

export function fieldsFound(sentence: string): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  const cut = (to: number, field: boolean) => {
    if (to > done) pieces.push({ at: done, text: sentence.slice(done, to), field });
    done = to;
  };
  for (const found of sentence.matchAll(fields)) {
    cut(found.index, false);
    cut(found.index + found[0].length, true);
  }
  cut(sentence.length, false);
  return pieces;
}
