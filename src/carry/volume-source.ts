import { unreadable, type ByteSource } from '../bundle/byte-source.ts';
import { DeliverError } from '../core/errors.ts';
import { LEAF } from './layout.ts';
import type { OpenCarry } from './open-carry.ts';

/** The bundle inside a carry set, read from its volumes in place; leaves that a patch volume brings are read from there. */
export function volumeSource(set: OpenCarry): ByteSource {
  const { carry, patched } = set;
  const step = patched.size === 0 ? carry.volumeSize : LEAF;
  return {
    size: carry.bundle.size,
    async read(target, offset) {
      const length = Math.max(0, Math.min(target.byteLength, carry.bundle.size - offset));
      for (let done = 0; done < length;) {
        const at = offset + done;
        const count = Math.min(length - done, step - (at % step));
        await readPiece(set, target.subarray(done, done + count), at);
        done += count;
      }
      return length;
    },
  };
}

/** Where a range lies when it is in one file; undefined when it spans volumes or patches. */
export function placeIn(
  { carry, files, patched }: OpenCarry,
  offset: number,
  size: number,
): { descriptor: number; offset: number } | undefined {
  const index = Math.floor(offset / carry.volumeSize);
  const file = files[index];
  const within = offset - index * carry.volumeSize;
  if (file === undefined || patched.size > 0 || within + size > carry.volumeSize) return undefined;
  return { descriptor: file.handle.fd, offset: within };
}

async function readPiece(set: OpenCarry, target: Uint8Array, offset: number): Promise<void> {
  const patch = set.patched.get(Math.floor(offset / LEAF));
  const index = Math.floor(offset / set.carry.volumeSize);
  const file = set.files[index];
  const handle = patch?.handle ?? file?.handle;
  const name = set.carry.volumes[index]?.name ?? '';
  if (handle === undefined) throw lost(set, `Volume ${name} is missing.`);
  const from = patch === undefined ? offset - index * set.carry.volumeSize : patch.offset + (offset % LEAF);
  for (let done = 0; done < target.byteLength;) {
    const { bytesRead } = await handle.read(target, done, target.byteLength - done, from + done).catch((error: unknown) => {
      throw unreadable(file?.path ?? name, from + done, error);
    });
    if (bytesRead === 0)
      throw lost(
        set,
        `Volume ${name} ends at byte ${String(from + done)}, before MiB ${String(Math.floor((from + done) / LEAF))}.`,
      );
    done += bytesRead;
  }
}

/** @throws DeliverError E_CARRY_DAMAGED when a volume that no patch replaces is not there */
export function needAllVolumes(set: OpenCarry): void {
  const leaves = set.carry.volumeSize / LEAF;
  const missing = set.carry.volumes.filter((volume, index) => {
    const first = index * leaves;
    return set.files[index] === undefined && !volume.leaves.every((_, leaf) => set.patched.has(first + leaf));
  });
  if (missing.length === 0) return;
  throw lost(set, `Missing: ${missing.map(({ name }) => name).join(', ')}.`);
}

function lost({ folder }: OpenCarry, why: string): DeliverError {
  return new DeliverError('E_CARRY_DAMAGED', {
    what: `The carry set in ${folder} is not whole.`,
    why,
    fix: `deliver verify ${folder} says what can be mended; deliver repair ${folder} mends it.`,
  });
}
