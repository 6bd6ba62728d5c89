import { createHash } from 'node:crypto';
import { readAt, type ByteSource } from '../bundle/byte-source.ts';
import { DeliverError } from '../core/errors.ts';
import type { Report } from '../core/report.ts';
import { encodeBase32 } from './base32.ts';
import { LEAF, patchName, styleOf } from './layout.ts';
import type { CarryManifest } from './manifest.ts';
import { PartFiles, writeAll } from './part-files.ts';
import { leafOf, patchHeader } from './patch.ts';
import type { Run } from './runs.ts';

export interface WrittenPatch {
  readonly name: string;
  /** MiBs of the bundle. */
  readonly leaves: number;
  /** Bytes of the file. */
  readonly size: number;
}

/**
 * Writes the leaves that were asked for into a patch volume; each is compared with the carry manifest on the way.
 * @throws DeliverError E_RESEND_CODE for leaves past the end, E_DIGEST when the source is not what was carried
 */
export async function makePatch(
  carry: CarryManifest,
  source: ByteSource,
  runs: readonly Run[],
  folder: string,
  work: { readonly report: Report; readonly signal: AbortSignal },
): Promise<WrittenPatch> {
  const header = patchHeader(carry, runs);
  const mark = encodeBase32(createHash('sha256').update(header).digest()).slice(0, 6).toLowerCase();
  const name = patchName(carry.bundle.name, mark, styleOf(carry.volumes));
  const total = runs.reduce((sum, { count }) => sum + count, 0);
  const last = runs.at(-1);
  if (last === undefined || leafOf(carry, last.first + last.count - 1) === undefined) throw pastEnd(carry);
  const parts = new PartFiles(folder);
  try {
    const handle = await parts.create(name);
    await writeAll(handle, header, 0);
    let offset = header.byteLength;
    let leaves = 0;
    for (const { first, count } of runs) {
      for (let leaf = first; leaf < first + count; leaf++) {
        work.signal.throwIfAborted();
        const bytes = await goodLeaf(carry, source, leaf);
        await writeAll(handle, bytes, offset);
        offset += bytes.byteLength;
        leaves += 1;
        work.report.progress({ done: leaves, total, unit: 'items' });
      }
    }
    await parts.finish();
    return { name, leaves, size: offset };
  } finally {
    await parts.close();
  }
}

async function goodLeaf(carry: CarryManifest, source: ByteSource, leaf: number): Promise<Uint8Array> {
  const record = leafOf(carry, leaf);
  if (record === undefined) throw pastEnd(carry);
  const bytes = await readAt(source, leaf * LEAF, record.size);
  if (createHash('sha256').update(bytes).digest('hex') === record.sha256) return bytes;
  throw new DeliverError('E_DIGEST', {
    what: `MiB ${String(leaf)} is not what was carried.`,
    why: 'The bundle here is another than the one that was cut into volumes, or it is damaged.',
    fix: `Give the very file that ${carry.bundle.name} was split from; the same lock and the same signatures make it again.`,
    state: 'No patch volume was written.',
  });
}

function pastEnd(carry: CarryManifest): DeliverError {
  return new DeliverError('E_RESEND_CODE', {
    what: `The code asks for bytes past the end of ${carry.bundle.name}.`,
    fix: 'Check that it was read from the same carry set.',
  });
}
