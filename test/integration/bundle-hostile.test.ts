import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { planBundle, type PlannedMember } from '../../src/bundle/plan.ts';
import { digestOf, hexOf } from '../../src/core/digest.ts';
import { encodeTarHeader, TAR_BLOCK } from '../../src/core/tar-header.ts';
import { bundleBytes, smallRelease } from '../support/bundles.ts';
import { tarMember, tarOf, withChecksum, type RawMember } from '../support/tar-builder.ts';

const { lock, content } = smallRelease();
const plan = planBundle(lock, []);
const good = bundleBytes(plan, content);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deliver-hostile-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;
async function written(bytes: Uint8Array): Promise<string> {
  const path = join(folder, `${files++}.tar`);
  await writeFile(path, bytes);
  return path;
}

async function expectRefused(bytes: Uint8Array, text: string | RegExp): Promise<void> {
  await expect(openBundle(await written(bytes))).rejects.toThrowWithCode('E_BUNDLE', text);
}

const member = (owner: string): PlannedMember => {
  const found = plan.members.find(({ owners }) => owners[0]?.startsWith(owner));
  if (found === undefined) throw new Error(`no member for ${owner}`);
  return found;
};

/** The good archive with something put in before one member. */
function inserted(raw: RawMember, before = member('file runbook')): Buffer {
  return Buffer.concat([good.subarray(0, before.headerOffset), tarMember(raw), good.subarray(before.headerOffset)]);
}

function appended(raw: RawMember): Buffer {
  return tarOf([good.subarray(0, -2 * TAR_BLOCK), tarMember(raw)]);
}

function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(good);
  change(bytes);
  return bytes;
}

it('opens the archive that all the others are made from', async () => {
  const bundle = await openBundle(await written(good));
  expect(bundle.lock).toEqual(lock);
  expect(bundle.root).toMatchObject(plan.root);
  await bundle.close();
});

it.each<[string, RawMember, string]>([
  ['an absolute name', { name: '/etc/passwd', content: Buffer.from('x') }, 'absolute name'],
  ['a name with ..', { name: 'blobs/../../../etc/cron.d/x', content: Buffer.from('x') }, '“..” in its name'],
  ['a symbolic link', { name: 'blobs/sha256/link', type: '2', linkName: '/etc/shadow' }, 'symbolic link'],
  ['a hard link', { name: 'blobs/sha256/link', type: '1', linkName: 'index.json' }, 'hard link'],
  ['a character device', { name: 'blobs/null', type: '3' }, 'character device'],
  ['a block device', { name: 'blobs/sda', type: '4' }, 'block device'],
  ['a directory', { name: 'blobs/', type: '5' }, 'directory'],
  ['a pipe', { name: 'blobs/fifo', type: '6' }, 'pipe'],
  ['a PAX extension', { name: 'PaxHeaders/x', type: 'x', content: Buffer.from('30 path=/etc/passwd\n') }, 'PAX'],
  ['a global PAX extension', { name: 'pax_global', type: 'g', content: Buffer.from('19 comment=abcdef\n') }, 'global PAX'],
  ['a GNU long name', { name: '././@LongLink', type: 'L', content: Buffer.from('/etc/passwd') }, 'GNU long name'],
  ['a sparse file', { name: 'blobs/sparse', type: 'S' }, 'sparse'],
  ['an unknown type', { name: 'blobs/odd', type: 'Z' }, 'unknown type'],
  [
    'a member that the lock does not know',
    { name: `blobs/sha256/${hexOf(digestOf('no'))}`, content: Buffer.from('no') },
    'not in the lock',
  ],
  ['a second index.json', { name: 'index.json', content: Buffer.from('{}') }, 'twice'],
])('refuses %s, in the middle and at the end', async (_what, raw, text) => {
  await expectRefused(inserted(raw), text);
  await expectRefused(appended(raw), /follow|last|end/);
});

it('refuses a link in the place of a blob, under its very name', async () => {
  const { headerOffset, name } = member('file runbook');
  const link = tarMember({ name, type: '2', linkName: '/etc/shadow' });
  await expectRefused(
    changed((bytes) => link.copy(bytes, headerOffset)),
    'symbolic link',
  );
});

it('refuses a known member in a place that is not its own', async () => {
  const { name } = member('image docker.io');
  await expectRefused(inserted({ name, content: Buffer.from('other') }), /where the lock puts|twice/);
});

it('refuses a member that is there twice', async () => {
  const first = member('file runbook, manifest');
  const copy = good.subarray(first.headerOffset, first.offset + 2 * TAR_BLOCK);
  const at = first.offset + 2 * TAR_BLOCK;
  await expectRefused(Buffer.concat([good.subarray(0, at), copy, good.subarray(at)]), 'twice');
});

it.each<[string, (header: Buffer) => void, string | RegExp]>([
  ['beyond the end of the file', (header) => header.write('77777777777\0', 124, 'latin1'), 'the file ends before'],
  ['as base-256 overflow', (header) => header.fill(0xff, 124, 136), 'not a number'],
  ['as base-256 far too large', (header) => Buffer.from('800000001000000000000000', 'hex').copy(header, 124), /size|ends/],
  ['as a smaller one', (header) => header.write('00000000001\0', 124, 'latin1'), 'says 1 bytes'],
  ['as text', (header) => header.write('size unknown', 124, 'latin1'), 'not a number'],
])('refuses a size that lies %s', async (_what, change, text) => {
  for (const owner of ['index', 'release manifest', 'lock', 'file runbook', 'image docker.io']) {
    const { headerOffset } = member(owner);
    const forged = changed((bytes) => {
      const header = bytes.subarray(headerOffset, headerOffset + TAR_BLOCK);
      change(header);
      withChecksum(header);
    });
    if (owner === 'image docker.io') await expectRefused(forged, text);
    else await expectRefused(forged, /./);
  }
});

it('refuses a lock or index that would not fit in memory, without reading it', async () => {
  const path = await written(Buffer.concat([good.subarray(0, 2 * TAR_BLOCK), encodeTarHeader('index.json', 3 * 1024 ** 4)]));
  await truncate(path, 4 * 1024 ** 4);
  await expect(openBundle(path)).rejects.toThrowWithCode('E_BUNDLE', 'at most');
});

it('refuses what follows the end', async () => {
  await expectRefused(Buffer.concat([good, Buffer.from('#!/bin/sh\n')]), '10 bytes follow the end');
  await expectRefused(Buffer.concat([good, good]), 'follow the end');
  await expectRefused(Buffer.concat([good, Buffer.alloc(10240)]), 'follow the end');
});

it.each([1, 511, 512, 1024, 1025, 5000])('refuses an archive that lost its last %d bytes', async (lost) => {
  await expectRefused(good.subarray(0, -lost), 'the file ends at byte');
});

it('refuses an archive that was cut anywhere', async () => {
  for (let at = 0; at < good.length; at += 977)
    await expect(openBundle(await written(good.subarray(0, at)))).rejects.toThrowWithCode('E_BUNDLE');
});

it('refuses padding that hides something', async () => {
  const { offset, size } = member('file runbook, manifest');
  await expectRefused(
    changed((bytes) => bytes.write('hidden', offset + size)),
    'padding',
  );
});

it('refuses a filler that hides something', async () => {
  const { offset } = member('room');
  await expectRefused(
    changed((bytes) => bytes.write('hidden', offset + 100)),
    'deliver.room',
  );
});

it('refuses headers with another mode, owner or time', async () => {
  const { headerOffset } = member('image docker.io');
  const forged = changed((bytes) => {
    const header = bytes.subarray(headerOffset, headerOffset + TAR_BLOCK);
    header.write('0004755\0', 100, 'latin1');
    withChecksum(header);
  });
  await expectRefused(forged, 'not as deliver writes it');
});

it('refuses an index that lists something else', async () => {
  const { offset } = member('index');
  await expectRefused(
    changed((bytes) => bytes.write('busybox:1.37', bytes.indexOf('busybox:1.36', offset))),
    'index.json',
  );
});

it('refuses a changed lock, also when its member is renamed to fit', async () => {
  const { offset, size, headerOffset } = member('lock');
  const edit = (bytes: Buffer): void => void bytes.write('v363', bytes.indexOf('v362', offset));
  await expectRefused(changed(edit), 'the lock at byte');
  const renamed = changed((bytes) => {
    edit(bytes);
    const name = `blobs/sha256/${hexOf(digestOf(bytes.subarray(offset, offset + size)))}`;
    Buffer.from(encodeTarHeader(name, size)).copy(bytes, headerOffset);
  });
  await expectRefused(renamed, /where the lock puts/);
});

it('refuses any single flipped byte in front of the content', async () => {
  const end = member('file runbook').offset;
  for (let at = 0; at < end; at += 127) {
    const flipped = changed((bytes) => bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at));
    await expect(openBundle(await written(flipped)), `byte ${at}`).rejects.toThrowWithCode('E_BUNDLE');
  }
});

it('says what a file is that is no bundle', async () => {
  await expectRefused(new Uint8Array(), 'empty');
  await expectRefused(gzipSync(good), 'gzip');
  await expectRefused(Buffer.from('PK\u0003\u0004'), 'zip');
  await expectRefused(Buffer.from('<!doctype html>'), 'web page');
  await expectRefused(tarOf([tarMember({ name: 'manifest.json', content: Buffer.from('[]') })]), 'tar archive of another kind');
  await expect(openBundle(join(folder, 'nowhere.tar'))).rejects.toThrowWithCode('E_FILE_NOT_FOUND');
  await expect(openBundle('/dev/null')).rejects.toThrowWithCode('E_BUNDLE', 'not a regular file');
  await expect(openBundle(folder)).rejects.toThrowWithCode('E_CARRY', 'holds no carry set');
  await expect(openBundle(await named('suite.tar.v001', good))).rejects.toThrowWithCode('E_CARRY', 'holds no carry set');
  await expect(openBundle(await named('suite.tar.part', good))).rejects.toThrowWithCode('E_BUNDLE', 'unfinished pack');
});

async function named(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}
