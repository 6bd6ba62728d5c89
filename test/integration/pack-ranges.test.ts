import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { planBundle, type BundlePlan } from '../../src/bundle/plan.ts';
import { writeBundle, type WrittenBundle } from '../../src/bundle/write-bundle.ts';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import { blobOrigins } from '../../src/flows/blob-origins.ts';
import { createImageSource } from '../../src/registry/image-source.ts';
import { createFileSource } from '../../src/store/file-source.ts';
import { buildRelease, bundleBytes } from '../support/bundles.ts';
import { folderWith } from '../support/files.ts';
import { startHttp } from '../support/http.ts';
import { noise } from '../support/images.ts';

// Packing over connections that are slow each for itself (bundle/lanes.ts, bundle/spread.ts).

const MIB = 1024 * 1024;
const big = noise(40 * MIB, 'one big layer');
const bigDigest = digestOf(big);
const release = buildRelease({
  images: [
    { reference: 'upstream.example/library/big:1', layers: [big] },
    ...[1, 2, 3].map((at) => ({
      reference: `upstream.example/library/small:${String(at)}`,
      layers: [noise(2 * MIB, `small ${String(at)}`)],
    })),
  ],
});
const plan: BundlePlan = planBundle(release.lock, []);
/** What one connection is sent at once, and the milliseconds until it gets more: 5 MB/s. */
const DROP = 128 * 1024;
const PAUSE = 25;

interface Asked {
  readonly digest: Digest;
  readonly range: string | undefined;
}

interface Options {
  /** What a request for a range of the big layer gets; by default just that. */
  readonly ranges?: 'ignored' | 'lied about';
  /** From so many ranges on nothing of the big layer is sent any more. */
  readonly holdAfter?: number;
  /** What is served instead of the big layer. */
  readonly instead?: Buffer;
}

/** A registry that sends to each connection slowly. */
async function slowRegistry(options: Options = {}): Promise<{ host: string; asked: Asked[]; release: () => void }> {
  const asked: Asked[] = [];
  let holding = options.holdAfter;
  const ranges = (): number => asked.filter(({ range, digest }) => range !== undefined && digest === bigDigest).length;
  const send = async (response: ServerResponse, bytes: Uint8Array, isBig: boolean): Promise<void> => {
    const isHeld = (): boolean => isBig && holding !== undefined && ranges() >= holding && !response.destroyed;
    for (let at = 0; at < bytes.length && !response.destroyed; at += DROP) {
      while (isHeld()) await sleep(PAUSE);
      response.write(bytes.subarray(at, at + DROP));
      await sleep(PAUSE);
    }
    response.end();
  };
  const url = await startHttp((request, response) => {
    const digest = (request.url ?? '').split('/').at(-1) as Digest;
    const { range } = request.headers;
    asked.push({ digest, range });
    const isBig = digest === bigDigest;
    const content = isBig ? (options.instead ?? big) : (release.content.get(digest) ?? Buffer.alloc(0));
    const [, from, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
    if (request.url?.includes('/manifests/') === true)
      response.setHeader('content-type', 'application/vnd.oci.image.manifest.v1+json');
    if (from === undefined || options.ranges === 'ignored') {
      response.writeHead(200, { 'content-length': content.length });
      void send(response, content, isBig);
      return;
    }
    const end = last === undefined || last === '' ? content.length : Number(last) + 1;
    const said = options.ranges === 'lied about' ? Number(from) + 1 : Number(from);
    response.writeHead(206, {
      'content-length': end - Number(from),
      'content-range': `bytes ${String(said)}-${String(end - 1)}/${String(content.length)}`,
    });
    void send(response, content.subarray(Number(from), end), isBig);
  });
  const go = (): void => {
    holding = undefined;
  };
  return { host: new URL(url).host, asked, release: go };
}

function pack(host: string, target: string): Promise<WrittenBundle> {
  const images = createImageSource({ registries: { 'upstream.example': { mirror: host } } }, {}, '/');
  onTestFinished(() => images.close());
  return writeBundle(plan, target, blobOrigins(release.lock, { images, files: createFileSource(), folder: '/' }));
}

async function isWhole(target: string): Promise<boolean> {
  return (await readFile(target)).equals(bundleBytes(plan, release.content));
}

it('asks for ranges of a big blob when connections are slow, and gets the same bytes', async () => {
  const { host, asked } = await slowRegistry();
  const target = join(await folderWith(), 'suite.tar');
  expect(await pack(host, target)).toMatchObject({ outcome: 'written', fetched: { fetchedBytes: wantedBytes() } });
  expect(await isWhole(target)).toBe(true);
  expect(asked.filter(({ range }) => range !== undefined).length).toBeGreaterThan(1);
  expect(asked.filter(({ digest, range }) => digest === bigDigest && range === undefined)).toHaveLength(1);
});

it('asks for small ranges at the end where connections are slow, so that none is waited for long', async () => {
  const { host, asked } = await slowRegistry();
  await pack(host, join(await folderWith(), 'suite.tar'));
  const sizes = asked.map(({ range }) => sizeOf(range)).filter((size) => size > 0);
  // What is left at the very end is small in any case.
  expect(sizes.filter((size) => size < 4 * MIB).length).toBeGreaterThan(2);
  expect(sizes.filter((size) => size < MIB).length).toBeLessThan(2);
});

// At this pace each of the two takes 8 s: together.
it('brings it all over one connection when ranges are ignored or lied about', async () => {
  const brought = async (ranges: 'ignored' | 'lied about') => {
    const { host, asked } = await slowRegistry({ ranges });
    const target = join(await folderWith(), 'suite.tar');
    await pack(host, target);
    return { ranges, whole: await isWhole(target), asked: asked.filter(({ range }) => range !== undefined).length };
  };
  expect(await Promise.all([brought('ignored'), brought('lied about')])).toEqual([
    { ranges: 'ignored', whole: true, asked: 1 },
    { ranges: 'lied about', whole: true, asked: 1 },
  ]);
});

it('refuses content of another digest that came in ranges', async () => {
  const wrong = Buffer.from(big);
  wrong.writeUInt8(wrong.readUInt8(30 * MIB) ^ 1, 30 * MIB);
  const { host, asked } = await slowRegistry({ instead: wrong });
  const target = join(await folderWith(), 'suite.tar');
  await expect(pack(host, target)).rejects.toThrowWithCode('E_DIGEST', 'upstream.example/library/big:1');
  expect(asked.some(({ range }) => range !== undefined)).toBe(true);
});

it('killed with ranges in flight, goes on and asks for no finished blob again', async () => {
  const { host, asked, release: go } = await slowRegistry({ holdAfter: 3 });
  const folder = await folderWith();
  const target = join(folder, 'suite.tar');
  await writeFile(join(folder, 'lock.json'), JSON.stringify(release.lock));
  const script = new URL('../support/pack-http-child.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, target, join(folder, 'lock.json'), host], { stdio: 'inherit', timeout: 40_000 });
  const ended = once(child, 'exit');
  const ranges = (): number => asked.filter(({ range }) => range !== undefined).length;
  for (let waited = 0; ranges() < 3 && child.exitCode === null && waited < 1500; waited += 1) await sleep(20);
  expect(ranges()).toBeGreaterThanOrEqual(3);
  child.kill('SIGKILL');
  await ended;
  const finished = (await readFile(`${target}.part.journal`, 'utf8')).split('\n').filter((line) => line.startsWith('sha256:'));
  expect(finished.length).toBeGreaterThan(0);
  expect(finished).not.toContain(bigDigest);
  go();
  asked.length = 0;
  expect(await pack(host, target)).toMatchObject({ outcome: 'written', fetched: { keptBlobs: finished.length } });
  expect(asked.map(({ digest }) => digest).filter((digest) => finished.includes(digest))).toEqual([]);
  expect(await isWhole(target)).toBe(true);
});

/** Bytes of a range that was asked for; 0 when it was none. */
function sizeOf(range: string | undefined): number {
  const [, from = '1', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? ['', '1', '0'];
  return (last === '' ? big.length : Number(last) + 1) - Number(from);
}

function wantedBytes(): number {
  const wanted = plan.members.filter(({ digest, content }) => digest !== undefined && content === undefined);
  return wanted.reduce((sum, { size }) => sum + size, 0);
}
