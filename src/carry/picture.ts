import { countText } from '../core/amounts.ts';
import type { Assessment, VolumeState } from './assess.ts';
import { STATE, type LeafStates } from './check-leaves.ts';

const CELLS = 32;

/** One line per volume: 32 cells (whole █, damaged ▒, missing ·) and a word on it. */
export function pictureOf(states: LeafStates, { volumes }: Assessment): readonly string[] {
  const labels = labelsOf(volumes.map(({ name }) => name));
  const width = labels.reduce((most, { length }) => Math.max(most, length), 0);
  return volumes.map((volume, index) => `${(labels[index] ?? '').padEnd(width)} ${cells(states[index])} ${wordOf(volume)}`);
}

function cells(leaves: Uint8Array | undefined): string {
  const all = leaves ?? new Uint8Array();
  return Array.from({ length: CELLS }, (_, cell) => {
    const from = Math.floor((cell * all.length) / CELLS);
    const part = all.subarray(from, Math.max(from + 1, Math.floor(((cell + 1) * all.length) / CELLS)));
    if (part.every((state) => state === STATE.missing)) return '·';
    return part.some((state) => state === STATE.damaged || state === STATE.missing) ? '▒' : '█';
  }).join('');
}

function wordOf({ damaged, missing, patched, unmendable }: VolumeState): string {
  const bad = damaged + missing;
  if (bad === 0) return patched === 0 ? 'whole' : `whole with ${countText(patched, 'patched MiB').replace(/s$/, '')}`;
  const what = damaged === 0 ? 'missing' : `${String(bad)} MiB damaged`;
  if (unmendable === 0) return `${what}, mendable`;
  return unmendable === bad ? `${what}, not mendable` : `${what}, ${String(unmendable)} MiB not mendable`;
}

/** What differs between the names: `v001`. */
function labelsOf(names: readonly string[]): readonly string[] {
  const [first = ''] = names;
  let shared = 0;
  while (names.length > 1 && shared < first.length && names.every((name) => name[shared] === first[shared])) shared += 1;
  const start = Math.max(0, first.lastIndexOf('.', shared) + 1);
  const short = names.map((name) => name.slice(start));
  return short.every((name) => /^[vp]\d+$/.test(name)) ? short : names;
}
