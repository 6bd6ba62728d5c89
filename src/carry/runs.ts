/** Neighbouring leaves. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

/** Leaf numbers, in any order, as runs. */
export function runsOf(leaves: Iterable<number>): readonly Run[] {
  const runs: { first: number; count: number }[] = [];
  for (const leaf of [...new Set(leaves)].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && leaf === last.first + last.count) last.count += 1;
    else runs.push({ first: leaf, count: 1 });
  }
  return runs;
}

/** `3, 17–19, 40`: at most `most` runs, then how many more. */
export function runsText(runs: readonly Run[], most = 8): string {
  const shown = runs
    .slice(0, most)
    .map(({ first, count }) => (count === 1 ? String(first) : `${String(first)}–${String(first + count - 1)}`));
  return runs.length > most ? `${shown.join(', ')} and ${String(runs.length - most)} more` : shown.join(', ');
}
