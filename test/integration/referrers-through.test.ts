import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, expect, it, beforeAll, afterAll } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { catalogOf } from '../../src/serve/catalog.ts';
import { endpointOf } from '../../src/serve/endpoint.ts';
import { httpListener } from '../../src/serve/http-listener.ts';
import { ADMIN, openBench } from '../lab/harbor/harness.ts';
import { startMemoryRegistry, type MemoryRegistry } from '../lab/harbor/memory-registry.ts';
import { deliver } from '../support/cli.ts';
import { folderWith } from '../support/files.ts';
import { artifactAbout } from '../support/image-release.ts';
import { buildImage, buildReferrer } from '../support/images.ts';
import { alpineLayer } from '../support/layers.ts';
import { releaseText } from '../support/releases.ts';
import { seedImage } from '../support/seed-registry.ts';

// What refers to an image goes the whole way: packed from a registry, then every verb that shows or moves it.
const CYCLONEDX = 'application/vnd.cyclonedx+json';
const image = buildImage({ layers: [alpineLayer()], seed: 'through' });
const bom = artifactAbout({
  subject: image.descriptor,
  artifactType: CYCLONEDX,
  layers: [
    {
      mediaType: CYCLONEDX,
      bytes: Buffer.from(
        JSON.stringify({
          bomFormat: 'CycloneDX',
          specVersion: '1.5',
          components: [{ type: 'library', name: 'serde', version: '1.0.0', purl: 'pkg:cargo/serde@1.0.0' }],
        }),
      ),
    },
  ],
});
const aboutBom = buildReferrer('application/vnd.dev.sigstore.bundle.v0.3+json', bom);
const cosign = buildReferrer('application/vnd.dev.cosign.simplesigning.v1+json');
const REPOSITORY = 'project/tool';
const cosignTag = `sha256-${image.descriptor.digest.slice(7)}.sig`;

let source: MemoryRegistry;
let folder: string;
/** Without what refers to the image, and with it. */
const BARE = 'out/suite-1.tar';
const WHOLE = 'out/suite-2.tar';

async function done(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await deliver(args, folder);
  expect(exitCode, `${args.join(' ')}: ${stdout}${stderr}`).toBe(0);
  return stdout;
}

beforeAll(async () => {
  source = await startMemoryRegistry();
  seedImage(source, REPOSITORY, image, '1.0');
  for (const referrer of [bom, aboutBom]) seedImage(source, REPOSITORY, referrer);
  seedImage(source, REPOSITORY, cosign, cosignTag);
  folder = await mkdtemp(join(tmpdir(), 'deliver-referrers-'));
  const images = [`${source.host}/${REPOSITORY}:1.0`];
  for (const [version, referrers] of [
    ['1', false],
    ['2', true],
  ] as const) {
    const text = releaseText({ metadata: { name: 'suite', version }, referrers, images });
    await writeFile(join(folder, `suite-${version}.yaml`), text);
    await done('pack', `suite-${version}.yaml`, '--output', 'out');
  }
});
afterAll(async () => {
  await source.close();
  await rm(folder, { recursive: true, force: true });
});

it('inspect lists it below its image, with kind and size', async () => {
  const shown = await done('inspect', WHOLE);
  const at = shown.indexOf(`${REPOSITORY}:1.0`);
  expect(at).toBeGreaterThan(0);
  for (const line of [
    /\+ bill of materials: cyclonedx\+json +[\d.]+ K?B/,
    /\+ signature: dev\.sigstore\.bundle/,
    /\+ signature: dev\.cosign/,
  ])
    expect(shown.slice(at)).toMatch(line);
  expect(await done('inspect', BARE)).not.toContain('+ ');

  const document = JSON.parse(await done('inspect', WHOLE, '--json')) as {
    content: number;
    images: { size: number; referrers: { digest: string; kind: string; subject: string; size: number; tag?: string }[] }[];
  };
  const [found] = document.images;
  expect(found?.referrers.map(({ digest, kind, subject, tag }) => ({ digest, kind, subject, tag }))).toEqual(
    expect.arrayContaining([
      { digest: bom.descriptor.digest, kind: 'bom', subject: image.descriptor.digest },
      { digest: aboutBom.descriptor.digest, kind: 'signature', subject: bom.descriptor.digest },
      { digest: cosign.descriptor.digest, kind: 'signature', subject: image.descriptor.digest, tag: cosignTag },
    ]),
  );
  // Nothing is in the bundle beside the image, what refers to it, and the release itself.
  const small = document.content - (found?.size ?? 0);
  expect(small).toBeGreaterThan(0);
  expect(small).toBeLessThan(20_000);
});

it('inspect --sbom takes in a bill of materials that was carried, --html lists all of it', async () => {
  await done('inspect', WHOLE, '--sbom', 'suite.cdx.json', '--html', 'suite.html');
  const text = await readFile(join(folder, 'suite.cdx.json'), 'utf8');
  const { components } = JSON.parse(text) as {
    components: { externalReferences: { comment: string }[]; components: { name: string; properties: { value: string }[] }[] }[];
  };
  const serde = components[0]?.components.find(({ name }) => name === 'serde');
  const [, layer = ''] = [...bom.blobs.keys()];
  expect(JSON.stringify(serde?.properties)).toContain(layer);
  expect(components[0]?.externalReferences).toHaveLength(3);
  const page = await readFile(join(folder, 'suite.html'), 'utf8');
  expect(page).toContain('3 attestations');
  expect(page).toContain('CycloneDX');
  expect(page).toContain('serde');
});

it('diff counts what it costs to carry', async () => {
  const { images, delta } = JSON.parse(await done('diff', BARE, WHOLE, '--json')) as {
    images: unknown[];
    delta: { size: number };
  };
  expect(images).toHaveLength(1);
  expect(delta.size).toBeGreaterThan(0);
  expect(await done('diff', BARE, WHOLE)).toContain('1.0, +3 referring to it');
});

it('serve answers who refers to the image, and to what refers to it', async () => {
  const bundle = await openBundle(join(folder, WHOLE));
  onTestFinished(() => bundle.close());
  const catalog = await catalogOf(bundle);
  const { url, close } = await httpListener.listen({ host: '127.0.0.1', port: 0 }, endpointOf(bundle, catalog), () => undefined);
  onTestFinished(() => close(0));
  const name = [...catalog.repositories.values()].map((one) => one.name).find((one) => one.endsWith(REPOSITORY)) ?? '';
  const ask = async (digest: string): Promise<readonly { digest: string; artifactType: string }[]> => {
    const answer = await fetch(`${url}/v2/${name}/referrers/${digest}`);
    expect(answer.headers.get('content-type')).toBe('application/vnd.oci.image.index.v1+json');
    return ((await answer.json()) as { manifests: { digest: string; artifactType: string }[] }).manifests;
  };
  expect(await ask(image.descriptor.digest)).toMatchObject([{ digest: bom.descriptor.digest, artifactType: CYCLONEDX }]);
  expect(await ask(bom.descriptor.digest)).toMatchObject([{ digest: aboutBom.descriptor.digest }]);
});

it('push brings it into a Harbor, and says so when the image was there already', async () => {
  const { harbor, api, close } = await openBench();
  onTestFinished(close);
  const to = `${new URL(harbor.url).host}/mirror`;
  const push = async (bundle: string) => {
    const config = await folderWith({
      'config.json': JSON.stringify({
        auths: { [new URL(harbor.url).host]: { auth: Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64') } },
      }),
    });
    const { exitCode, stdout, stderr } = await deliver(['push', bundle, '--to', to, '--allow-unsigned'], folder, {
      DOCKER_CONFIG: config,
    });
    expect(exitCode, stdout + stderr).toBe(0);
    return stdout;
  };
  expect(await push(BARE)).toContain('has all 1 reference:');
  const second = await push(WHOLE);
  expect(second).toContain('what refers to them');
  expect(second).not.toContain('nothing was changed');
  expect(await push(WHOLE)).toContain('nothing was changed');
  const { json } = await api('GET', '/projects/mirror/repositories');
  const [{ name = '' } = {}] = json as { name?: string }[];
  const listed = await fetch(`${harbor.url}/v2/${name}/referrers/${image.descriptor.digest}`, {
    headers: { authorization: `Basic ${Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64')}` },
  });
  expect(await listed.json()).toMatchObject({ manifests: [{ digest: bom.descriptor.digest, artifactType: CYCLONEDX }] });
});
