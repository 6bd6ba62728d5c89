import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { gather } from '../../../src/lock/small-blob.ts';
import { createFileSource } from '../../../src/store/file-source.ts';
import { folderWith } from '../../support/files.ts';
import { noise } from '../../support/images.ts';

const files = createFileSource();

describe('files from paths', () => {
  it('are measured and read whole', async () => {
    const bytes = noise(1_000_000, 'file');
    const path = join(await folderWith({ f: bytes }), 'f');
    expect(await files.measure(path)).toEqual({ digest: digestOf(bytes), size: 1_000_000 });
    expect((await gather(await files.open(path))).equals(bytes)).toBe(true);
  });

  it('say what is wrong with the path', async () => {
    const folder = await folderWith();
    await expect(files.open(join(folder, 'none'))).rejects.toThrowWithCode('E_FILE_NOT_FOUND', join(folder, 'none'));
    await expect(files.measure(folder)).rejects.toThrowWithCode('E_FILE_UNREADABLE', 'is not a file');
  });

  it('stop when told to', async () => {
    const path = join(await folderWith({ f: noise(1_000_000, 'file') }), 'f');
    await expect(files.measure(path, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  });
});

describe('files from elsewhere', () => {
  it.each([
    ['s3://me:hunter22@bucket/key', 'E_SOURCE'],
    ['s3://bucket/key?X-Amz-Signature=hunter22', 'E_SOURCE'],
    ['ftp://me:hunter22@example.org/f', 'E_SOURCE'],
  ] as const)('are refused for %s without showing what is secret in it', async (location, code) => {
    const error: unknown = await files.open(location).catch((thrown: unknown) => thrown);
    expect(error).toThrowWithCode(code);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter22');
  });
});
