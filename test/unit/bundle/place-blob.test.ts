import { mkdtemp, open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PartBytes } from '../../../src/bundle/part-bytes.ts';
import { placeBlob } from '../../../src/bundle/place-blob.ts';
import { WritePool } from '../../../src/bundle/write-pool.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { noise } from '../../support/images.ts';

const never = new AbortController().signal;
/** Bytes of the file, more than any blob here. */
const LARGE = 2 ** 40;
let folder: string;
let handle: FileHandle;
let pool: WritePool;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deliver-place-'));
  handle = await open(join(folder, 'file'), 'w+');
  pool = new WritePool(new PartBytes([handle], LARGE, LARGE));
});
afterEach(async () => {
  await pool.close();
  await handle.close();
  await rm(folder, { recursive: true });
});

/** The bytes in one piece of memory that is overwritten as soon as the next chunk is asked for. */
async function* reusing(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const memory = Buffer.alloc(size);
  for (let at = 0; at < bytes.byteLength; at += size) {
    const piece = bytes.subarray(at, at + size);
    memory.set(piece);
    yield memory.subarray(0, piece.byteLength);
    memory.fill(0);
  }
}

async function place(bytes: Uint8Array, promised: Uint8Array, offset: number, chunk: number): Promise<void> {
  const { target, done } = pool.target(promised.byteLength);
  const place = { digest: digestOf(promised), size: promised.byteLength, offset };
  await placeBlob(target, place, reusing(bytes, chunk), 'the source', () => undefined, never).finally(done);
}

describe.each([
  ['on this thread', 700_000],
  ['on another thread', 2_500_000],
])('placing a blob %s', (_where, size) => {
  it('copies what a source hands out in memory that it uses again, several at once', async () => {
    const blobs = Array.from({ length: 5 }, (_, at) => noise(size, `blob ${String(at)}`));
    await Promise.all(blobs.map((blob, at) => place(blob, blob, at * size, 100_001)));
    expect(Buffer.compare(await readFile(join(folder, 'file')), Buffer.concat(blobs))).toBe(0);
  });

  it('refuses other bytes, fewer and more, and writes nothing past its place', async () => {
    const blob = noise(size, 'blob');
    const longer = Buffer.concat([blob, Buffer.alloc(900_000)]);
    await expect(place(noise(size, 'another'), blob, 0, 65_536)).rejects.toThrowWithCode('E_DIGEST');
    await expect(place(blob.subarray(1), blob, 0, 65_536)).rejects.toThrowWithCode('E_SIZE');
    await expect(place(longer, blob, 0, 65_536)).rejects.toThrowWithCode('E_SIZE');
    expect((await handle.stat()).size).toBeLessThanOrEqual(size);
  });

  it('says what the file system says', async () => {
    const readOnly = await open(join(folder, 'file'), 'r');
    const strict = new WritePool(new PartBytes([readOnly], LARGE, LARGE));
    const blob = noise(size, 'blob');
    const { target } = strict.target(size);
    const placed = placeBlob(
      target,
      { digest: digestOf(blob), size, offset: 0 },
      reusing(blob, 1000),
      '',
      () => undefined,
      never,
    );
    await expect(placed).rejects.toMatchObject({ code: 'EBADF' });
    await strict.close();
    await readOnly.close();
  });
});
