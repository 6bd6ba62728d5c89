import type { HashPool } from '../bundle/hash-pool.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { Report } from '../core/report.ts';
import { leafSize, type Candidate } from './identify.ts';
import { LEAF } from './layout.ts';
import { allVolumes, type VolumeRecord } from './manifest.ts';
import type { OpenCarry } from './open-carry.ts';

/** What is known of a leaf. */
export const STATE = { whole: 0, damaged: 1, missing: 2, /** Bad here, good in a patch volume. */ patched: 3 } as const;

/** One byte per leaf, for every volume, data before parity. */
export type LeafStates = readonly Uint8Array[];

/** Leaves in hand at once, more than there can be threads. */
const AT_ONCE = 16;

/** Hashes every leaf of every volume that is there, on all cores. Damage is returned, not thrown. */
export async function checkLeaves(set: OpenCarry, pool: HashPool, report: Report, signal: AbortSignal): Promise<LeafStates> {
  const volumes = allVolumes(set.carry);
  const states = volumes.map(({ leaves }) => new Uint8Array(leaves.length).fill(STATE.missing));
  const total = set.files.reduce((sum, file, index) => sum + (file === undefined ? 0 : (volumes[index]?.size ?? 0)), 0);
  let done = 0;
  await inParallel(jobs(set.files, volumes), AT_ONCE, signal, async ({ file, volume, index, leaf }, leafSignal) => {
    const size = leafSize(volume, leaf);
    const job = { descriptor: file.handle.fd, offset: leaf * LEAF, size };
    const outcome = await pool.hash(job, () => undefined, leafSignal);
    const good = outcome.kind === 'hashed' && outcome.size === size && outcome.digest === `sha256:${volume.leaves[leaf] ?? ''}`;
    const state = states[index];
    if (state !== undefined) state[leaf] = good ? STATE.whole : STATE.damaged;
    done += size;
    report.progress({ done, total, unit: 'bytes', detail: file.name });
  });
  const perVolume = set.carry.volumeSize / LEAF;
  for (const number of set.patched.keys()) {
    const state = states[Math.floor(number / perVolume)];
    const leaf = number % perVolume;
    if (state !== undefined && state[leaf] !== STATE.whole) state[leaf] = STATE.patched;
  }
  return states;
}

interface LeafJob {
  readonly file: Candidate;
  readonly volume: VolumeRecord;
  readonly index: number;
  readonly leaf: number;
}

function* jobs(files: OpenCarry['files'], volumes: readonly VolumeRecord[]): Generator<LeafJob> {
  for (const [index, volume] of volumes.entries()) {
    const file = files[index];
    if (file === undefined) continue;
    for (let leaf = 0; leaf < volume.leaves.length; leaf++) yield { file, volume, index, leaf };
  }
}
