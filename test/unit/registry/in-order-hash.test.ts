import { createHash, randomBytes } from 'node:crypto';
import { open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { InOrderHash } from '../../../src/registry/in-order-hash.ts';
import { TransferThreads } from '../../../src/registry/transfer-threads.ts';

const MIB = 1024 * 1024;

describe('the hash of a blob that arrives in ranges', () => {
  it('is of all of it when ranges end while earlier ones are still being hashed from the file', async () => {
    const bytes = randomBytes(24 * MIB);
    const name = path.join(tmpdir(), `deliver-hash-${randomBytes(6).toString('hex')}`);
    await writeFile(name, bytes);
    const file = await open(name);
    const threads = new TransferThreads();
    try {
      const hash = new InOrderHash(threads.take(), { descriptor: file.fd, offset: 0 });
      for (const from of [8, 0, 16]) hash.wrote(from * MIB, (from + 8) * MIB, false);
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      expect(await hash.content()).toEqual({ size: bytes.length, digest });
    } finally {
      await threads.close();
      await file.close();
      await rm(name);
    }
  });

  it('ends with what was written without a gap', async () => {
    const name = path.join(tmpdir(), `deliver-hash-${randomBytes(6).toString('hex')}`);
    await writeFile(name, Buffer.alloc(3 * MIB));
    const file = await open(name);
    const threads = new TransferThreads();
    try {
      const hash = new InOrderHash(threads.take(), { descriptor: file.fd, offset: 0 });
      hash.wrote(0, MIB, false);
      hash.wrote(2 * MIB, 3 * MIB, false);
      expect((await hash.content()).size).toBe(MIB);
    } finally {
      await threads.close();
      await file.close();
      await rm(name);
    }
  });

  it('is of what is in the file where a range was written over what was hashed on its way', async () => {
    const bytes = randomBytes(2 * MIB);
    const name = path.join(tmpdir(), `deliver-hash-${randomBytes(6).toString('hex')}`);
    await writeFile(name, bytes);
    const file = await open(name);
    const threads = new TransferThreads();
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    try {
      for (const isFirst of [true, false]) {
        const hash = new InOrderHash(threads.take(), { descriptor: file.fd, offset: 0 });
        // On its way there was nothing at all: the hash of a thread that has seen other bytes.
        expect(hash.claim(0)).toBe(true);
        if (isFirst) hash.wrote(MIB, 2 * MIB, false);
        hash.wrote(0, 1.5 * MIB, true);
        if (!isFirst) hash.wrote(MIB, 2 * MIB, false);
        expect(await hash.content()).toEqual({ size: bytes.length, digest });
      }
    } finally {
      await threads.close();
      await file.close();
      await rm(name);
    }
  });
});
