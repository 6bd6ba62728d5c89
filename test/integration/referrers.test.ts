import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import type { Bundle } from '../../src/bundle/bundle.ts';
import { digestOf } from '../../src/core/digest.ts';
import { MEDIA } from '../../src/core/oci.ts';
import { packFlow, type PackPorts } from '../../src/flows/pack.ts';
import { pushFlow } from '../../src/flows/push.ts';
import { verifyFlow } from '../../src/flows/verify.ts';
import type { LockedImage } from '../../src/lock/lock-schema.ts';
import { createImageSource } from '../../src/registry/image-source.ts';
import type { PushResult } from '../../src/registry/push-content.ts';
import { openSiteRegistry } from '../../src/registry/site-registry.ts';
import { catalogOf } from '../../src/serve/catalog.ts';
import { createFileSource } from '../../src/store/file-source.ts';
import { startRegistry } from '../bench/registry.ts';
import { startMemoryRegistry, type MemoryRegistry } from '../lab/harbor/memory-registry.ts';
import { folderWith } from '../support/files.ts';
import { hasCommand } from '../support/has-command.ts';
import { layoutFiles } from '../support/image-files.ts';
import { buildAttestation, buildImage, buildIndex, buildReferrer, type BuiltImage } from '../support/images.ts';
import { releaseText } from '../support/releases.ts';
import { runFlow } from '../support/run-flow.ts';
import { seedImage } from '../support/seed-registry.ts';

const LAB = process.env['DELIVER_LAB_CACHE'] ?? join(homedir(), '.cache/deliver-lab');
const REGCTL = join(LAB, 'bin/regctl-v0.11.1/regctl');
const CRANE = join(LAB, 'bin/crane-v0.20.7/crane');

const arm = { os: 'linux', architecture: 'arm64' };
const [amd64, arm64] = [buildImage({ seed: 'amd' }), buildImage({ seed: 'arm', platform: arm })];
const index = buildIndex([amd64, buildAttestation('about amd', amd64), arm64, buildAttestation('about arm', arm64)]);
const sbom = buildReferrer('application/spdx+json', amd64);
const signatureOfSbom = buildReferrer('application/vnd.example.signature', sbom);
const stranger = buildReferrer('application/vnd.example.stranger', arm64);
const cosign = buildReferrer('application/vnd.dev.cosign.simplesigning.v1+json');
const cosignTag = `sha256-${amd64.descriptor.digest.slice(7)}.sig`;
const REPOSITORY = 'project/gatekeeper';

/** A registry that has the image, and what refers to it: by its API, or where it has none, by the referrers tag. */
async function upstream(flavour: 'spec' | 'distribution'): Promise<MemoryRegistry> {
  const registry = await startMemoryRegistry({ flavour });
  onTestFinished(() => registry.close());
  seedImage(registry, REPOSITORY, index, 'v362');
  for (const referrer of [sbom, signatureOfSbom, stranger]) seedImage(registry, REPOSITORY, referrer);
  seedImage(registry, REPOSITORY, cosign, cosignTag);
  if (flavour === 'spec') return registry;
  for (const [subject, referrer] of [
    [amd64, sbom],
    [sbom, signatureOfSbom],
  ] as const) {
    // Anyone who may push may list what is about something else.
    const list = buildIndex([referrer, stranger]);
    const tag = `sha256-${subject.descriptor.digest.slice(7)}`;
    registry.content.seedManifest(REPOSITORY, tag, MEDIA.index, Buffer.from(list.bytes));
  }
  return registry;
}

const ports: PackPorts = {
  images: (sources, folder) => {
    const source = createImageSource(sources, {}, folder, { retry: { retries: 0, firstDelay: 1 } });
    onTestFinished(() => source.close());
    return source;
  },
  files: () => createFileSource({ firstDelay: 1 }),
  askPassphrase: () => Promise.reject(new Error('nobody should be asked')),
};

/** The bundle of a release with that image, packed and verified. */
async function packed(fields: Readonly<Record<string, unknown>>, files: Record<string, Uint8Array> = {}): Promise<Bundle> {
  const folder = await folderWith({ ...files, 'suite.yaml': releaseText(fields) });
  const { path } = await runFlow(packFlow({ releasePath: join(folder, 'suite.yaml'), outputFolder: join(folder, 'out') }, ports));
  await runFlow(verifyFlow({ bundlePath: path, trust: [], allowUnsigned: true }));
  const bundle = await openBundle(path);
  onTestFinished(() => bundle.close());
  return bundle;
}

const push = (bundle: Bundle, to: string): Promise<PushResult> =>
  runFlow(
    pushFlow(
      { bundlePath: bundle.path, to },
      { openBundle, checkTrust: () => 'accepted', openRegistry: (host) => openSiteRegistry({ host }) },
    ),
  );

const imageOf = ({ lock }: Bundle): LockedImage => {
  const [image] = lock.images;
  if (image === undefined) throw new Error('no image was locked');
  return image;
};
const digestsOf = (images: readonly BuiltImage[]): string[] => images.map(({ descriptor }) => descriptor.digest).toSorted();
const everything = [sbom, signatureOfSbom, cosign];

describe.each(['spec', 'distribution'] as const)('referrers from a registry of flavour “%s”', (flavour) => {
  it('stay there, unasked for, unless the release wants them', async () => {
    const registry = await upstream(flavour);
    const bundle = await packed({ images: [`${registry.host}/${REPOSITORY}:v362`] });
    expect(imageOf(bundle)).toMatchObject({ digest: amd64.descriptor.digest });
    expect(imageOf(bundle).referrers).toBeUndefined();
    expect(registry.requests.filter(({ path }) => /referrers|sha256-/.test(path))).toEqual([]);
  });

  it('are carried: by subject, of what refers too, and by cosign’s tag; nothing that is about something else', async () => {
    const registry = await upstream(flavour);
    const bundle = await packed({ referrers: true, images: [`${registry.host}/${REPOSITORY}@${amd64.descriptor.digest}`] });
    const { referrers = [] } = imageOf(bundle);
    expect(referrers.map(({ digest }) => digest).toSorted()).toEqual(digestsOf(everything));
    expect(referrers.find(({ digest }) => digest === cosign.descriptor.digest)).toMatchObject({ tag: cosignTag });
    for (const referrer of everything)
      expect(Buffer.from(await bundle.bytes(referrer.descriptor.digest)).equals(referrer.bytes)).toBe(true);

    const catalog = await catalogOf(bundle);
    const served = [...catalog.repositories.values()].find(({ name }) => name.endsWith(REPOSITORY));
    expect(served?.referrers.get(amd64.descriptor.digest)).toMatchObject([
      { digest: sbom.descriptor.digest, artifactType: 'application/spdx+json', annotations: { made: 'application/spdx+json' } },
    ]);
    expect(served?.referrers.get(sbom.descriptor.digest)).toMatchObject([{ digest: signatureOfSbom.descriptor.digest }]);
    expect([...(served?.tags.keys() ?? [])]).toEqual([cosignTag, `sha256.${amd64.descriptor.digest.slice(7)}`]);
  });

  it('of BuildKit stay beside the manifest that they are about, in an index of just these', async () => {
    const registry = await upstream(flavour);
    const bundle = await packed({ referrers: true, images: [`${registry.host}/${REPOSITORY}:v362`] });
    const image = imageOf(bundle);
    const [child, attestation] = index.manifests;
    expect(image.manifests?.map(({ digest }) => digest)).toEqual([child, attestation].map((one) => one?.descriptor.digest));
    const made = JSON.parse(Buffer.from(await bundle.bytes(image.digest)).toString('utf8')) as {
      manifests: { annotations?: object }[];
    };
    expect(made.manifests[1]?.annotations).toMatchObject({ 'vnd.docker.reference.digest': amd64.descriptor.digest });
  });

  it('are found at the site’s registry too, and pushed once', async () => {
    const source = await upstream(flavour);
    const bundle = await packed({ referrers: true, images: [`${source.host}/${REPOSITORY}@${amd64.descriptor.digest}`] });
    const site = await startMemoryRegistry({ flavour });
    onTestFinished(() => site.close());
    const first = await push(bundle, `${site.host}/mirror`);
    expect(first.taggedImages).toBe(1);
    expect(first.putReferrers).toBe(flavour === 'spec' ? 3 : 5);
    const [name = '', content] = [...site.content.repositories].find(([, { tags }]) => tags.has(cosignTag)) ?? [];
    const listTag = `sha256-${amd64.descriptor.digest.slice(7)}`;
    expect(content?.tags.has(listTag)).toBe(flavour === 'distribution');
    expect(await push(bundle, `${site.host}/mirror`)).toMatchObject({ taggedImages: 0, putReferrers: 0, pushedBlobs: 0 });

    // As after a kill between the last manifest and the list.
    content?.tags.delete(listTag);
    expect(await push(bundle, `${site.host}/mirror`)).toMatchObject({ putReferrers: flavour === 'spec' ? 0 : 1 });

    const { locate, close } = createImageSource({}, {});
    onTestFinished(close);
    const { reader } = locate({ original: '', host: site.host, repository: name });
    expect(await reader.referrers(name, amd64.descriptor.digest)).toEqual([
      { digest: sbom.descriptor.digest },
      { digest: cosign.descriptor.digest, tag: cosignTag },
    ]);
  });
});

it('what refers to an image in an OCI layout comes along from there', async () => {
  const files = layoutFiles([
    { image: amd64, name: 'v1' },
    { image: sbom },
    { image: signatureOfSbom },
    { image: cosign, name: cosignTag },
  ]);
  const inFolder = Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`layout/${path}`, bytes]));
  const sources = { images: { 'example.org/web': 'oci:layout' } };
  const bundle = await packed({ referrers: true, sources, images: ['example.org/web:v1'] }, inFolder);
  expect(
    imageOf(bundle)
      .referrers?.map(({ digest }) => digest)
      .toSorted(),
  ).toEqual(digestsOf(everything));
});

it('a signature that was added later makes another lock, though the image did not move', async () => {
  const registry = await upstream('spec');
  const release = {
    referrers: true,
    images: [`${registry.host}/${REPOSITORY}@${arm64.descriptor.digest}`],
    platforms: ['linux/arm64'],
  };
  const before = imageOf(await packed(release));
  const added = buildReferrer('application/vnd.example.later', arm64);
  seedImage(registry, REPOSITORY, added);
  const after = imageOf(await packed(release));
  expect(after.digest).toBe(before.digest);
  expect(after.referrers?.map(({ digest }) => digest).toSorted()).toEqual(digestsOf([stranger, added]));
});

describe.skipIf(!hasCommand('docker-registry'))('a release of two platforms in a real docker-registry', () => {
  const site = async (): Promise<string> => {
    const registry = await startRegistry(join(await folderWith(), 'storage'));
    onTestFinished(() => registry.stop());
    return registry.host;
  };
  const release = async (): Promise<Bundle> => {
    const source = await upstream('spec');
    const platforms = ['linux/amd64', 'linux/arm64/v8'];
    return packed({ referrers: true, platforms, images: [`${source.host}/${REPOSITORY}:v362`] });
  };
  const tool = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' });

  it('is there with its digests, its attestations and the list of its referrers', async () => {
    const [host, bundle] = [await site(), await release()];
    const image = imageOf(bundle);
    expect(image).toMatchObject({ digest: index.descriptor.digest, manifests: [{}, {}, {}, {}] });
    expect(await push(bundle, `${host}/mirror`)).toMatchObject({ taggedImages: 1, putReferrers: 7 });
    expect(await push(bundle, `${host}/mirror`)).toMatchObject({ taggedImages: 0, putReferrers: 0 });
    const { repositories } = (await (await fetch(`http://${host}/v2/_catalog`)).json()) as { repositories: string[] };
    const name = `${host}/${repositories[0] ?? ''}`;

    if (hasCommand('skopeo')) {
      const raw = tool('skopeo', 'inspect', '--raw', '--tls-verify=false', `docker://${name}:v362`);
      expect(digestOf(raw)).toBe(index.descriptor.digest);
      for (const architecture of ['amd64', 'arm64']) {
        const found = tool('skopeo', '--override-arch', architecture, 'inspect', '--tls-verify=false', `docker://${name}:v362`);
        expect(JSON.parse(found)).toMatchObject({ Architecture: architecture, Os: 'linux' });
      }
    }
    if (existsSync(CRANE)) {
      expect(tool(CRANE, 'digest', '--insecure', `${name}:v362`).trim()).toBe(index.descriptor.digest);
      expect(tool(CRANE, 'digest', '--insecure', '--platform', 'linux/arm64', `${name}:v362`).trim()).toBe(
        arm64.descriptor.digest,
      );
      expect(tool(CRANE, 'ls', '--insecure', name).split('\n')).toContain(cosignTag);
    }
    if (existsSync(REGCTL)) {
      const env = { ...process.env, HOME: await folderWith() };
      execFileSync(REGCTL, ['registry', 'set', host, '--tls', 'disabled'], { env });
      const listed = execFileSync(REGCTL, ['artifact', 'list', `${name}@${amd64.descriptor.digest}`, '--format', '{{json .}}'], {
        env,
        encoding: 'utf8',
      });
      expect(listed).toContain(sbom.descriptor.digest);
    }
  });

  it.skipIf(!existsSync(REGCTL) || !hasCommand('tar'))(
    'is read by others from the unpacked bundle, with what refers to it',
    async () => {
      const bundle = await release();
      const folder = join(await folderWith(), 'layout');
      await mkdir(folder);
      tool('tar', '-xf', bundle.path, '-C', folder, '--no-same-owner');
      const described = tool(REGCTL, 'manifest', 'get', '--format', 'raw-body', `ocidir://${folder}@${index.descriptor.digest}`);
      expect(digestOf(described)).toBe(index.descriptor.digest);
      const entries = JSON.parse(tool('cat', join(folder, 'index.json'))) as {
        manifests: { digest: string; artifactType?: string }[];
      };
      expect(entries.manifests.find(({ digest }) => digest === sbom.descriptor.digest)?.artifactType).toBe(
        'application/spdx+json',
      );
    },
  );
});
