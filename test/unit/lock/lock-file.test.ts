import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { lockPath, lockText, readLock, writeLock } from '../../../src/lock/lock-file.ts';
import type { Lock } from '../../../src/lock/lock-schema.ts';
import { resolveRelease } from '../../../src/lock/resolve-release.ts';
import { isStale, lockChanges } from '../../../src/lock/stale.ts';
import { createFileSource } from '../../../src/store/file-source.ts';
import { folderWith } from '../../support/files.ts';
import { buildAttestation, buildImage, buildIndex } from '../../support/images.ts';
import { memorySource } from '../../support/memory-source.ts';
import { app, loadedRelease } from '../../support/releases.ts';

const arm64 = buildImage({ seed: 'arm64', platform: { os: 'linux', architecture: 'arm64' } });
const images = memorySource({ 'example.org/web:1': buildIndex([buildImage(), arm64, buildAttestation()]) });
const FIELDS = { platforms: ['linux/amd64', 'linux/arm64'], apps: [app({ env: { VERSION: '1.10', SAY: 'a: "b"\n' } })] };

describe('a lock file', () => {
  let lock: Lock;

  beforeEach(async () => {
    lock = await resolveRelease(await loadedRelease(FIELDS), { images, files: createFileSource() });
  });

  it('has its place next to the release', () => {
    expect(['a/suite.yaml', 'a/suite.yml', 'suite'].map(lockPath)).toEqual([
      'a/suite.lock.yaml',
      'a/suite.lock.yaml',
      'suite.lock.yaml',
    ]);
  });

  it('reads back as it was written, and is then the same text', async () => {
    const path = join(await folderWith(), 'suite.lock.yaml');
    expect(await writeLock(path, lock)).toBe('written');
    expect(await readLock(path)).toEqual(lock);
    expect(lockText(await readLock(path))).toBe(await readFile(path, 'utf8'));
  });

  it('is the same text down to the byte, on every machine and in every year', () => {
    expect(digestOf(lockText(lock))).toBe('sha256:43cd272728ed6c6bd9f262610d7af3862e15efbb409c1c5c56090a579d057280');
    const shuffled = Object.fromEntries(Object.entries(lock).reverse()) as unknown as Lock;
    expect(lockText(shuffled)).toBe(lockText(lock));
  });

  it('is not touched when nothing changed', async () => {
    const path = join(await folderWith(), 'suite.lock.yaml');
    await writeLock(path, lock);
    await utimes(path, 1, 1);
    expect(await writeLock(path, lock)).toBe('unchanged');
    expect((await stat(path)).mtimeMs).toBe(1000);
  });

  it('is refused with the place of whatever was changed by hand', async () => {
    const path = join(await folderWith(), 'suite.lock.yaml');
    const text = lockText(lock);
    for (const [from, to, message] of [
      ['kind: Lock', 'kind: Lock\nextra: 1', 'extra: unknown key.'],
      ['data: ey', 'data: eY', 'is not the content of'],
      ['sha256:', 'sha256:x', 'must be sha256'],
      ['version: 1.0.0', 'version: 1.0.1', 'are not those of the release in it'],
    ] as const) {
      await writeFile(path, text.replace(from, to));
      await expect(readLock(path), message).rejects.toThrowWithCode('E_SCHEMA', message);
      await expect(readLock(path)).rejects.toThrowWithCode('E_SCHEMA', /suite\.lock\.yaml:\d+:\d+ {2}/);
    }
  });

  it('is never written when it contradicts itself', async () => {
    const path = join(await folderWith(), 'suite.lock.yaml');
    const [image] = lock.images;
    if (image === undefined) throw new Error('no image');
    const other = {
      ...image,
      reference: 'example.org/other:1',
      blobs: image.blobs.map((blob) => ({ ...blob, size: blob.size + 1 })),
    };
    await expect(writeLock(path, { ...lock, images: [image, other] })).rejects.toThrowWithCode(
      'E_SCHEMA',
      'elsewhere in this lock',
    );
    await expect(writeLock(path, { ...lock, images: [image, image] })).rejects.toThrowWithCode('E_SCHEMA', 'is here twice');
    await expect(readLock(path)).rejects.toThrowWithCode('E_LOCK_MISSING');
  });

  it('is stale when the release was changed, not when it was only written otherwise', async () => {
    const same = await loadedRelease({ apps: FIELDS.apps, platforms: FIELDS.platforms });
    expect(isStale(lock, same.release)).toBe(false);
    const other = await loadedRelease({ ...FIELDS, apps: [app({ replicas: 2 })] });
    expect(isStale(lock, other.release)).toBe(true);
  });

  it('says what differs from another', () => {
    const moved = { ...lock, images: lock.images.map((image) => ({ ...image, digest: digestOf('moved') })) };
    expect(lockChanges(lock, moved)).toEqual([`image example.org/web:1: ${lock.images[0]?.digest ?? ''} → ${digestOf('moved')}`]);
    expect(lockChanges(lock, { ...lock, images: [] })).toEqual(['image example.org/web:1: no longer in the release']);
    expect(lockChanges(lock, lock)).toEqual([]);
  });
});
