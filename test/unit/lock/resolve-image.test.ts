import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { MEDIA } from '../../../src/core/oci.ts';
import { canonicalReference, parseReference } from '../../../src/core/reference.ts';
import type { LockedImage } from '../../../src/lock/lock-schema.ts';
import { resolveImage } from '../../../src/lock/resolve-image.ts';
import { buildAttestation, buildImage, buildIndex, type BuiltImage } from '../../support/images.ts';
import { memorySource, type MemorySource } from '../../support/memory-source.ts';

const amd64 = buildImage({ seed: 'amd64', layers: [1000, 2000] });
const arm64 = buildImage({ seed: 'arm64', platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } });
const s390x = buildImage({ seed: 's390x', platform: { os: 'linux', architecture: 's390x' } });
const everything = buildIndex([amd64, buildAttestation(), arm64, s390x]);

interface Options {
  readonly platforms?: readonly string[];
  readonly previous?: LockedImage;
}

function resolve(
  text: string,
  source: MemorySource,
  { platforms = ['linux/amd64'], previous }: Options = {},
): Promise<LockedImage> {
  const reference = parseReference(text);
  return resolveImage({ reference, key: canonicalReference(reference), neededBy: ['app web'] }, source, { platforms, previous });
}

const one = (image: BuiltImage, text = 'busybox:1.36'): MemorySource => memorySource({ [text]: image });

describe('resolving an image', () => {
  it('keeps a single manifest as its registry has it, config first, then layers', async () => {
    const locked = await resolve('busybox:1.36', one(amd64));
    expect(locked).toMatchObject({
      reference: 'docker.io/library/busybox:1.36',
      digest: amd64.descriptor.digest,
      platform: 'linux/amd64',
      neededBy: ['app web'],
    });
    expect(locked.blobs.map(({ digest }) => digest)).toEqual([...amd64.blobs.keys()]);
    expect(locked.blobs.map(({ size }) => size).slice(1)).toEqual([1000, 2000]);
    expect(locked.data).toBeUndefined();
  });

  it('takes the one wanted manifest out of an index, without its attestation', async () => {
    const locked = await resolve('busybox:1.36', one(everything));
    expect(locked).toMatchObject({ digest: amd64.descriptor.digest, mediaType: MEDIA.manifest, platform: 'linux/amd64' });
    expect(locked.manifests).toBeUndefined();
  });

  it('makes an index of just the wanted platforms, the same bytes every time, in the order of the source', async () => {
    const platforms = ['linux/arm64', 'linux/amd64'];
    const locked = await resolve('busybox:1.36', one(everything), { platforms });
    expect(locked.manifests?.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64/v8']);
    expect(digestOf(Buffer.from(locked.data ?? '', 'base64'))).toBe(locked.digest);
    expect(locked.digest).toBe('sha256:f8b95e59fcffad4f0bb63612bcef1b4d8074b2ca5a807b108d96f883fa269e48');
    expect(await resolve('busybox:1.36', one(everything), { platforms: platforms.toReversed() })).toEqual(locked);
    expect(locked.blobs.map(({ digest }) => digest)).toEqual([...amd64.blobs.keys(), ...arm64.blobs.keys()]);
  });

  it('keeps the registry’s own index when nothing has to be left out', async () => {
    const both = buildIndex([amd64, arm64]);
    const locked = await resolve('busybox:1.36', one(both), { platforms: ['linux/amd64', 'linux/arm64'] });
    expect(locked).toMatchObject({ digest: both.descriptor.digest, size: both.descriptor.size });
    expect(locked.data).toBeUndefined();
  });

  it('keeps everything behind the digest of an index, attestations too', async () => {
    const text = `busybox@${everything.descriptor.digest}`;
    const locked = await resolve(text, one(everything));
    expect(locked.reference).toBe(`docker.io/library/${text}`);
    expect(locked.digest).toBe(everything.descriptor.digest);
    expect(locked.manifests).toHaveLength(4);
    expect(new Set(locked.blobs.map(({ digest }) => digest))).toEqual(new Set(everything.blobs.keys()));
  });

  it('goes by the digest where there is a tag too', async () => {
    const source = one(arm64);
    source.put(`busybox@${amd64.descriptor.digest}`, amd64);
    const locked = await resolve(`busybox:1.36@${amd64.descriptor.digest}`, source);
    expect(locked.digest).toBe(amd64.descriptor.digest);
  });

  it('carries Docker’s own manifests and lists', async () => {
    const docker = buildImage({ docker: true });
    expect((await resolve('busybox:1.36', one(docker))).mediaType).toBe(MEDIA.dockerManifest);
    const list = buildIndex([docker, s390x], { docker: true });
    expect((await resolve('busybox:1.36', one(list))).digest).toBe(docker.descriptor.digest);
  });

  it('takes linux/arm64 and linux/arm64/v8 for the same', async () => {
    const plain = buildImage({ seed: 'plain', platform: { os: 'linux', architecture: 'arm64' } });
    for (const [image, wanted] of [
      [plain, 'linux/arm64/v8'],
      [arm64, 'linux/arm64'],
      [buildIndex([plain]), 'linux/arm64/v8'],
    ] as const) {
      await expect(resolve('busybox:1.36', one(image), { platforms: [wanted] })).resolves.toBeDefined();
    }
  });

  it.each([
    ['an index', everything, 'It exists for linux/amd64, linux/arm64/v8, linux/s390x.'],
    ['a single image', s390x, 'It exists for linux/s390x.'],
  ])('says what there is when %s lacks a platform', async (_, image, text) => {
    await expect(resolve('busybox:1.36', one(image), { platforms: ['linux/riscv64'] })).rejects.toThrowWithCode(
      'E_PLATFORM',
      text,
    );
  });

  it('refuses one digest for platforms that it does not hold', async () => {
    const text = `busybox@${everything.descriptor.digest}`;
    await expect(resolve(text, one(everything), { platforms: ['linux/riscv64'] })).rejects.toThrowWithCode('E_PLATFORM');
  });

  it.each([
    ['foreign layers', buildImage({ layerFields: { urls: ['https://example.org/layer'] } }), 'does not hold the layer'],
    ['an index of indexes', buildIndex([buildIndex([amd64])]), 'index of indexes'],
    [
      'schema 1',
      { ...amd64, descriptor: { ...amd64.descriptor, mediaType: 'application/vnd.docker.distribution.manifest.v1+prettyjws' } },
      'schema 1',
    ],
    ['no JSON', { ...amd64, bytes: Buffer.from('hello') }, 'not JSON'],
    ['no layers', { ...amd64, bytes: Buffer.from('{"schemaVersion":2}') }, 'malformed'],
  ])('refuses an image with %s', async (_, image, text) => {
    await expect(resolve('busybox:1.36', one(image))).rejects.toThrowWithCode('E_IMAGE_FORMAT', text);
  });

  it('lets an artifact pass that is for no platform', async () => {
    const bytes = Buffer.from(amd64.bytes.toString().replace(MEDIA.config, 'application/vnd.example.db.v1+json'));
    const artifact = { ...amd64, bytes, descriptor: { ...amd64.descriptor, digest: digestOf(bytes), size: bytes.byteLength } };
    expect((await resolve('db:1', one(artifact, 'db:1'), { platforms: ['linux/arm64'] })).platform).toBeUndefined();
  });

  it('asks for the tag alone when an earlier lock knows the rest', async () => {
    const source = one(everything);
    const previous = await resolve('busybox:1.36', source);
    source.asked.length = 0;
    expect(await resolve('busybox:1.36', source, { previous })).toEqual(previous);
    expect(source.asked).toEqual(['manifest docker.io/library/busybox:1.36']);
  });

  it('asks for nothing when the reference is a digest that an earlier lock knows', async () => {
    const source = one(everything);
    const text = `busybox@${everything.descriptor.digest}`;
    const previous = await resolve(text, source);
    source.asked.length = 0;
    expect(await resolve(text, source, { previous })).toEqual(previous);
    expect(source.asked).toEqual([]);
  });

  it('sees that a tag moved', async () => {
    const source = one(amd64);
    const previous = await resolve('busybox:1.36', source);
    const newer = buildImage({ seed: 'newer' });
    source.put('busybox:1.36', newer);
    expect((await resolve('busybox:1.36', source, { previous })).digest).toBe(newer.descriptor.digest);
  });
});
