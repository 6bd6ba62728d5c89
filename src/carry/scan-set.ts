import type { BundlePlan } from '../bundle/plan.ts';
import { hexOf, type Digest } from '../core/digest.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { Report } from '../core/report.ts';
import { STATE, type LeafStates } from './check-leaves.ts';
import { Crew, crewSize, threadEntry } from './crew.ts';
import { EdgeLeaves } from './edge-leaves.ts';
import { LEAF } from './layout.ts';
import { allVolumes } from './manifest.ts';
import type { OpenCarry } from './open-carry.ts';
import { contentParts, type ContentPart, type ScanAnswer, type ScanJob } from './scan-jobs.ts';

/** What one pass over a carry set found. */
export interface Scanned {
  readonly states: LeafStates;
  /** Blobs of the bundle inside whose bytes are those that their digest promises. */
  readonly whole: ReadonlySet<Digest>;
}

/** Leaves of a parity volume that are one job. */
const PARITY_JOB = 16;

interface Placed {
  readonly digest: Digest;
  readonly start: number;
  readonly end: number;
}

/** A job, and whose leaves and blobs its answer tells of. */
interface Work {
  readonly job: () => Promise<ScanJob>;
  /** Bytes. */
  readonly size: number;
  /** Volume and number in it of a leaf of the answer. */
  readonly leafAt: (index: number) => readonly [number, number];
  readonly blobs: readonly Placed[];
  /** Called when its answer has come. */
  readonly done?: () => void;
}

/** Whether every data volume is there and nothing stands in for a part of one: then one pass is enough. */
export function canScan({ carry, files, patched }: OpenCarry): boolean {
  return patched.size === 0 && carry.volumes.every((_, index) => files[index] !== undefined);
}

/**
 * Hashes every leaf of a set and every blob of the bundle inside, reading each byte once, on all cores. Damage is
 * returned, not thrown.
 * @param plan of the bundle inside; whether it is the right one is judged elsewhere
 */
export async function scanSet(set: OpenCarry, plan: BundlePlan, report: Report, signal: AbortSignal): Promise<Scanned> {
  const volumes = allVolumes(set.carry);
  const states = volumes.map(({ leaves }) => new Uint8Array(leaves.length).fill(STATE.missing));
  const whole = new Set<Digest>();
  const note = (volume: number, leaf: number, hex: string): void => {
    const state = states[volume];
    if (state !== undefined) state[leaf] = hex === volumes[volume]?.leaves[leaf] ? STATE.whole : STATE.damaged;
  };
  const work = [...contentWork(set, plan, note), ...parityWork(set)];
  const total = work.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const onBytes = (count: number): void => {
    done += count;
    report.progress({ done, total, unit: 'bytes' });
  };
  const crew = new Crew<ScanJob, ScanAnswer>(threadEntry('scan-worker', import.meta.url), crewSize(work.length));
  const idle = Array.from({ length: crew.size }, (_, thread) => thread);
  // What is asked of a thread that was ended fails, and so the pass ends.
  const end = (): void => void crew.close();
  signal.addEventListener('abort', end, { once: true });
  try {
    await inParallel(work, crew.size, signal, async ({ job, size, leafAt, blobs, done: answered }) => {
      const thread = idle.pop() ?? 0;
      let counted = 0;
      const answer = await crew.ask(thread, await job(), (count) => {
        counted += count;
        onBytes(count);
      });
      answered?.();
      for (const [index, hex] of answer.leaves.entries()) note(...leafAt(index), hex);
      for (const [index, hex] of answer.blobs.entries()) {
        const blob = blobs[index];
        if (blob !== undefined && hexOf(blob.digest) === hex) whole.add(blob.digest);
      }
      onBytes(size - counted);
      idle.push(thread);
    });
  } finally {
    signal.removeEventListener('abort', end);
    await crew.close();
  }
  return { states, whole };
}

function contentWork(
  set: OpenCarry,
  plan: BundlePlan,
  note: (volume: number, leaf: number, hex: string) => void,
): readonly Work[] {
  const { bundle, volumeSize } = set.carry;
  const perVolume = volumeSize / LEAF;
  const placeOf = (leaf: number): readonly [number, number] => [Math.floor(leaf / perVolume), leaf % perVolume];
  const blobs = plan.members.flatMap(({ digest, offset, size }): Placed[] =>
    digest === undefined || offset + size > bundle.size ? [] : [{ digest, start: offset, end: offset + size }],
  );
  const descriptors = set.carry.volumes.map((_, index) => set.files[index]?.handle.fd ?? -1);
  const edges = new EdgeLeaves(set, (leaf, hex) => {
    note(...placeOf(leaf), hex);
  });
  let taken = 0;
  return contentParts(bundle.size, blobs).map((part: ContentPart): Work => {
    const own = blobs.slice(taken, (taken += part.blobs.length));
    return {
      size: part.range.end - part.range.start,
      leafAt: (index) => placeOf(part.firstLeaf + index),
      blobs: own,
      done: () => {
        edges.done(part);
      },
      async job() {
        const [head, tail] = await Promise.all([edges.head(part), edges.tail(part)]);
        return { ...part, kind: 'content', descriptors, volumeSize, size: bundle.size, head, tail };
      },
    };
  });
}

function parityWork({ carry, files }: OpenCarry): readonly Work[] {
  return carry.parity.volumes.flatMap(({ leaves, size }, k) => {
    const volume = carry.volumes.length + k;
    const descriptor = files[volume]?.handle.fd;
    if (descriptor === undefined) return [];
    return Array.from({ length: Math.ceil(leaves.length / PARITY_JOB) }, (_, at): Work => {
      const first = at * PARITY_JOB;
      const count = Math.min(PARITY_JOB, leaves.length - first);
      return {
        size: Math.min(size, (first + count) * LEAF) - first * LEAF,
        leafAt: (index) => [volume, first + index],
        blobs: [],
        job: async () => ({ kind: 'leaves', descriptor, size, first, count }),
      };
    });
  });
}
