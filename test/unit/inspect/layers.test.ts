import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf, verified } from '../../../src/core/digest.ts';
import { mergeLayers } from '../../../src/inspect/merge-layers.ts';
import { readLayer, type LayerFacts } from '../../../src/inspect/read-layer.ts';
import { UNPACK_LIMITS } from '../../../src/inspect/unpacked.ts';
import { alpineLayer, debianLayer, layerOf } from '../../support/layers.ts';
import { tarMember, tarOf } from '../../support/tar-builder.ts';

const GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** @param there the bytes that lie in the bundle, when they are not those that were promised */
async function read(bytes: Uint8Array, mediaType = GZIP, there = bytes, limits = UNPACK_LIMITS): Promise<LayerFacts> {
  const digest = digestOf(bytes);
  const stream = (): AsyncIterable<Uint8Array> => verified(pieces(there), { digest, size: bytes.byteLength }, 'the test layer');
  return readLayer({ stream }, { digest, mediaType }, limits, AbortSignal.timeout(20_000), () => undefined);
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 700) yield bytes.slice(at, at + 700);
}

async function namesOf(...layers: readonly Uint8Array[]): Promise<string[]> {
  return mergeLayers(await Promise.all(layers.map((layer) => read(layer)))).packages.map(({ name }) => name);
}

describe('packages', () => {
  it('come with their licences from a Debian-like layer', async () => {
    const { packages, distribution, notes } = mergeLayers([await read(debianLayer())]);
    expect(packages).toEqual([
      { type: 'deb', name: 'bash', version: '5.2.15-2+b7', architecture: 'amd64', licences: ['GFDL-1.3', 'GPL-3+'] },
      { type: 'deb', name: 'libc6', version: '2.36-9+deb12u9', architecture: 'amd64', source: 'glibc', licences: [] },
    ]);
    expect(distribution).toEqual({ id: 'debian', version: '12', title: 'Debian GNU/Linux 12 (bookworm)' });
    expect(notes).toEqual([]);
  });

  it('come from every file of status.d in a distroless image', async () => {
    const layer = layerOf({
      './var/lib/dpkg/status.d/base': 'Package: base-files\nVersion: 12\n',
      './var/lib/dpkg/status.d/base.md5sums': 'x',
      './var/lib/dpkg/status.d/tz': 'Package: tzdata\nVersion: 2024a\n',
    });
    expect(await namesOf(layer)).toEqual(['base-files', 'tzdata']);
  });

  it('of rpm are named as not analysed', async () => {
    const { notes } = mergeLayers([await read(layerOf({ 'usr/lib/sysimage/rpm/rpmdb.sqlite': 'SQLite' }))]);
    expect(notes).toEqual(['has an rpm database, which is not analysed']);
  });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['nothing', (bytes: Uint8Array) => bytes],
  ])('are read through %s', async (_, pack) => {
    const tar = tarOf([tarMember({ name: 'lib/apk/db/installed', content: Buffer.from('P:a\nV:1\n\n') })]);
    expect(await namesOf(pack(tar))).toEqual(['a']);
  });
});

describe('layers over each other', () => {
  it('take the database of the upper one', async () => {
    expect(await namesOf(alpineLayer(), layerOf({ 'lib/apk/db/installed': 'P:new\nV:2\n\n' }))).toEqual(['new']);
  });

  it.each([
    ['the file', { 'lib/apk/db/.wh.installed': '' }],
    ['a folder above it', { 'lib/.wh.apk': '' }],
    ['what is below an opaque folder', { 'lib/apk/.wh..wh..opq': '' }],
    ['a folder that became a file', { lib: 'now a file' }],
  ])('lose by whiteout %s', async (_, files) => {
    expect(await namesOf(alpineLayer(), layerOf(files))).toEqual([]);
  });

  it('keep what the layer of an opaque folder brings itself, and what other whiteouts are about', async () => {
    expect(
      await namesOf(alpineLayer(), layerOf({ 'lib/apk/db/installed': 'P:new\nV:2\n\n', 'lib/apk/db/.wh..wh..opq': '' })),
    ).toEqual(['new']);
    expect(await namesOf(alpineLayer(), layerOf({ 'lib/.wh.apkx': '', 'lib/': '' }))).toEqual(['musl', 'ssl_client']);
  });
});

describe('a hostile layer', () => {
  it('is noted, with what came before', async () => {
    const member = tarMember({ name: 'lib/apk/db/installed', content: Buffer.from('P:a\nV:1\n\n') });
    const broken = gzipSync(Buffer.concat([member, Buffer.alloc(512, 'x')]));
    const facts = await read(broken);
    expect(facts.problem).toContain('tar header is damaged');
    expect(mergeLayers([facts]).packages).toHaveLength(1);
  });

  it('that claims a header of gigabytes is not held in memory', async () => {
    const huge = tarMember({ name: 'x', type: 'x', size: 8_000_000_000 });
    expect((await read(gzipSync(huge))).problem).toContain('a tar header of 8000000000 bytes');
  });

  it('that is a bomb is not unpacked to its end', async () => {
    const bomb = gzipSync(tarOf([tarMember({ name: 'zero', content: Buffer.alloc(32 * 1024 ** 2) })]));
    const facts = await read(bomb, GZIP, bomb, { free: 1024 ** 2, ratio: 100, most: 1024 ** 3 });
    expect(facts.problem).toContain('decompression bomb');
  });

  it('whose bytes were changed on the way is refused, not noted', async () => {
    const layer = alpineLayer();
    const changed = Buffer.from(layer).fill(0xff, 40, 60);
    await expect(read(layer, GZIP, changed)).rejects.toThrowWithCode('E_DIGEST');
  });

  it('of any bytes ends with facts or a note', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.constantFrom(GZIP, 'x.tar', 'x.tar+zstd'), async (bytes, type) => {
        const { facts } = await read(bytes, type);
        expect(facts.size).toBe(0);
      }),
      { seed: 4, numRuns: 60 },
    );
  });
});
