import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { byteMap } from '../../src/inspect/byte-map.ts';
import { SILENT } from '../../src/core/report.ts';
import { inspectDeeply } from '../../src/flows/inspect-deep.ts';
import { buildRelease, type TestRelease } from '../support/bundles.ts';
import { deliver } from '../support/cli.ts';
import { folderWith } from '../support/files.ts';
import { alpineLayer, debianLayer, layerOf } from '../support/layers.ts';
import { signedBundle, testKey } from '../support/signed-bundle.ts';

function release(version: string): TestRelease {
  const base = debianLayer();
  return buildRelease({
    version,
    images: [
      { reference: 'docker.io/library/app:1', layers: [base, layerOf({ 'app/main': version })] },
      { reference: 'docker.io/library/db:16', layers: [base] },
      { reference: 'docker.io/library/alpine:3.20', layers: [alpineLayer()] },
      { reference: 'example.org/ubi:9', layers: [layerOf({ 'var/lib/rpm/rpmdb.sqlite': 'x' })] },
    ],
    files: [{ name: 'runbook', content: Buffer.from('read me') }],
    charts: [{ name: 'web', content: Buffer.from('chart content') }],
  });
}

const Sbom = z.object({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  version: z.literal(1),
  serialNumber: z.string(),
  components: z.array(z.object({ name: z.string(), components: z.array(z.object({ purl: z.string() })).optional() })),
});

const bundle = (version: string): Uint8Array => signedBundle(release(version), [testKey('packager')]).bytes;

it('writes a page and a bill of materials, the same bytes every time', async () => {
  const folder = await folderWith({ 'old.tar': bundle('3.6.1'), 'new.tar': bundle('3.6.2') });
  const run = (name: string) =>
    deliver(['inspect', 'new.tar', '--html', `${name}.html`, '--sbom', `${name}.json`, '--since', 'old.tar'], folder);
  const [first, second] = [await run('a'), await run('b')];
  expect([first.exitCode, second.exitCode]).toEqual([0, 0]);
  expect(first.stdout).toContain('example.org/ubi:9: has an rpm database, which is not analysed');
  const read = async (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  expect(await read('a.html')).toBe(await read('b.html'));
  expect(await read('a.json')).toBe(await read('b.json'));
  const page = await read('a.html');
  expect(page).toContain('New since gatekeeper-suite 3.6.1');
  expect(page).toContain('libc6');
  expect(page).toContain(testKey('packager').key.fingerprint);

  const text = await read('a.json');
  const sbom = Sbom.parse(JSON.parse(text));
  expect(sbom.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(sbom.components.find(({ name }) => name === 'docker.io/library/app:1')?.components?.map(({ purl }) => purl)).toEqual([
    'pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64&distro=debian-12',
    'pkg:deb/debian/libc6@2.36-9%2Bdeb12u9?arch=amd64&distro=debian-12&upstream=glibc',
  ]);
  const references = [...text.matchAll(/"bom-ref":"([^"]*)"/g)].map(([, reference]) => reference);
  expect(new Set(references).size).toBe(references.length);
});

it('shows every byte of the release in one box of the map', async () => {
  const folder = await folderWith({ 'new.tar': bundle('3.6.2') });
  const path = join(folder, 'new.tar');
  const found = await inspectDeeply({ bundlePath: path, packages: false }, SILENT, AbortSignal.timeout(20_000));
  const { images, shared, summary } = found;
  const total = byteMap({ images, shared, charts: summary.charts, files: summary.files }).reduce(
    (sum, { size }) => sum + size,
    0,
  );
  const alone = [
    ...images.map(({ unique }) => unique),
    ...[...shared, ...summary.charts, ...summary.files].map(({ size }) => size),
  ];
  expect(total).toBe(alone.reduce((sum, size) => sum + size, 0));
  expect(shared.map(({ users }) => users)).toEqual([['image docker.io/library/app:1', 'image docker.io/library/db:16']]);
  expect(images.every(({ packages }) => packages.size === 0)).toBe(true);
});

it('keeps the JSON of inspect as it was, and refuses a page where no page can be', async () => {
  const folder = await folderWith({ 'new.tar': bundle('3.6.2') });
  const { stdout } = await deliver(['inspect', 'new.tar', '--json'], folder);
  expect(Object.keys(z.record(z.string(), z.unknown()).parse(JSON.parse(stdout))).sort()).toEqual(
    [
      'blobs',
      'charts',
      'content',
      'files',
      'images',
      'path',
      'platforms',
      'release',
      'root',
      'signatures',
      'size',
      'version',
    ].sort(),
  );
  const refused = await deliver(['inspect', 'new.tar', '--html', 'no/such/folder/x.html'], folder);
  expect(refused.exitCode).toBe(3);
  expect(refused.stderr).toContain('E_OUTPUT');
});
