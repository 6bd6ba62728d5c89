import { STATE, type LeafStates } from './check-leaves.ts';
import { LEAF } from './layout.ts';
import { allVolumes, type CarryManifest } from './manifest.ts';
import { runsOf, type Run } from './runs.ts';

/** What is left of one volume. Numbers are MiBs. */
export interface VolumeState {
  readonly name: string;
  readonly damaged: number;
  readonly missing: number;
  readonly patched: number;
  /** Of the bad ones: in rows with more losses than there are parity volumes. */
  readonly unmendable: number;
}

/** What is left of a carry set, and what would make it whole. */
export interface Assessment {
  readonly volumes: readonly VolumeState[];
  /** Bad MiBs, of data and parity. */
  readonly bad: number;
  readonly mendable: boolean;
  /** The fewest MiBs of the bundle that have to come again so that parity can mend the rest. */
  readonly resend: readonly Run[];
}

/** Judges row by row: leaf r of every volume; a row with at most as many losses as there are parity volumes can be mended. */
export function assess(carry: CarryManifest, states: LeafStates): Assessment {
  const parity = carry.parity.volumes.length;
  const perVolume = carry.volumeSize / LEAF;
  const badOf = states.map((leaves) => leaves.reduce((sum, state) => sum + Number(isBad(state)), 0));
  const unmendable = states.map(() => 0);
  const again: number[] = [];
  const rows = states.reduce((most, { length }) => Math.max(most, length), 0);
  for (let row = 0; row < rows; row++) {
    const bad = badIn(states, row);
    if (bad.length <= parity) continue;
    for (const index of bad) unmendable[index] = (unmendable[index] ?? 0) + 1;
    // Volumes that lost little first: the code is shorter, and what is left can mend a volume that is lost whole.
    const data = bad.filter((index) => index < carry.volumes.length).sort((a, b) => (badOf[a] ?? 0) - (badOf[b] ?? 0) || a - b);
    for (const index of data.slice(0, bad.length - parity)) again.push(index * perVolume + row);
  }
  const volumes = allVolumes(carry).map(({ name }, index) => ({
    name,
    damaged: count(states[index], STATE.damaged),
    missing: count(states[index], STATE.missing),
    patched: count(states[index], STATE.patched),
    unmendable: unmendable[index] ?? 0,
  }));
  const bad = badOf.reduce((sum, number) => sum + number, 0);
  return { volumes, bad, mendable: again.length === 0, resend: runsOf(again) };
}

/** Volumes whose leaf in this row is neither here nor in a patch. */
export function badIn(states: LeafStates, row: number): readonly number[] {
  return states.flatMap((leaves, index) => (isBad(leaves[row] ?? STATE.whole) ? [index] : []));
}

function isBad(state: number): boolean {
  return state === STATE.damaged || state === STATE.missing;
}

function count(leaves: Uint8Array | undefined, wanted: number): number {
  return leaves?.reduce((sum, state) => sum + Number(state === wanted), 0) ?? 0;
}
