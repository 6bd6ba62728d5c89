import { distance } from 'fastest-levenshtein';

/** The known name that is most like a mistyped one, undefined when none is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const away = distance(name.toLowerCase(), candidate.toLowerCase());
    if (best === undefined || away < best.distance) best = { name: candidate, distance: away };
  }
  // One change in a word of three letters, two in one of six (a swap of neighbours counts as two): more is another word, not a slip.
  return best !== undefined && best.distance <= Math.ceil(name.length / 3) ? best.name : undefined;
}

/** ` Did you mean “ports”?`, or nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const found = nearest(name, known);
  return found === undefined ? '' : ` Did you mean “${found}”?`;
}
