import { beforeEach, describe, expect, it } from 'vitest';
import type { Lock } from '../../../src/lock/lock-schema.ts';
import { proveClosed } from '../../../src/lock/prove-closed.ts';
import { resolveRelease } from '../../../src/lock/resolve-release.ts';
import { createFileSource } from '../../../src/store/file-source.ts';
import { buildImage } from '../../support/images.ts';
import { memorySource } from '../../support/memory-source.ts';
import { app, loadedRelease } from '../../support/releases.ts';

describe('the closed-world proof', () => {
  let lock: Lock;

  beforeEach(async () => {
    const apps = [app({ initContainers: [{ name: 'i', image: 'busybox:1.36' }], files: { '/etc/a': './a' } })];
    const loaded = await loadedRelease({ apps }, { a: 'x' });
    const images = memorySource({ 'example.org/web:1': buildImage(), 'busybox:1.36': buildImage({ seed: 'b' }) });
    lock = await resolveRelease(loaded, { images, files: createFileSource() });
  });

  it('holds for what resolve makes', () => {
    expect(proveClosed(lock)).toEqual({ images: 2 });
  });

  it('names an image that the lock lacks, and what would pull it', () => {
    const open = { ...lock, images: lock.images.filter(({ reference }) => !reference.includes('busybox')) };
    expect(() => proveClosed(open)).toThrowWithCode(
      'E_NOT_CLOSED',
      'docker.io/library/busybox:1.36  from app web, initContainers[0]',
    );
    expect(() => proveClosed(open)).toThrowWithCode('E_NOT_CLOSED', '1 image would be pulled on site that the lock lacks.');
  });

  it('names a file that the lock lacks', () => {
    expect(() => proveClosed({ ...lock, files: [] })).toThrowWithCode('E_NOT_CLOSED', './a  from app web, files /etc/a');
  });
});
