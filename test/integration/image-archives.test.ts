import { execFileSync } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { digestOf } from '../../src/core/digest.ts';
import { MEDIA } from '../../src/core/oci.ts';
import { packFlow, type PackPorts, type PackResult } from '../../src/flows/pack.ts';
import { resolveFlow, type ResolveResult } from '../../src/flows/resolve.ts';
import { verifyFlow } from '../../src/flows/verify.ts';
import type { Lock } from '../../src/lock/lock-schema.ts';
import { createImageSource } from '../../src/registry/image-source.ts';
import { createFileSource } from '../../src/store/file-source.ts';
import { folderWith } from '../support/files.ts';
import { hasCommand } from '../support/has-command.ts';
import { layerTar, layoutFiles, savedLayoutTar, savedTar, tarOfFiles, tarOfFolder } from '../support/image-files.ts';
import { buildAttestation, buildImage, buildIndex, noise } from '../support/images.ts';
import { releaseText } from '../support/releases.ts';
import { runFlow } from '../support/run-flow.ts';

const GATEKEEPER = 'dockerhub.kubekey.local/project/gatekeeper:v362';
const REPOSITORY = 'dockerhub.kubekey.local/project/gatekeeper';
const twice = noise(3000, 'the same layer twice');
const gatekeeper = buildImage({ seed: 'gatekeeper', layers: [twice, noise(70_000, 'b'), twice] });
const amd64 = buildImage({ seed: 'amd64', layers: [2000] });
const arm64 = buildImage({ seed: 'arm64', platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } });
const armv7 = buildImage({ seed: 'armv7', platform: { os: 'linux', architecture: 'arm', variant: 'v7' } });
const everything = buildIndex([amd64, buildAttestation(), arm64, armv7]);

interface Scene {
  readonly folder: string;
  readonly path: string;
}

async function scene(
  place: string | readonly string[],
  files: Readonly<Record<string, string | Uint8Array>>,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<Scene> {
  const text = releaseText({ sources: { images: { [REPOSITORY]: place } }, images: [GATEKEEPER], ...fields });
  const folder = await folderWith({ ...files, 'suite.yaml': text });
  return { folder, path: join(folder, 'suite.yaml') };
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

const tool = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' });
const resolve = ({ path }: Scene): Promise<ResolveResult> => runFlow(resolveFlow({ releasePath: path }, ports));
const pack = ({ path, folder }: Scene): Promise<PackResult> =>
  runFlow(packFlow({ releasePath: path, outputFolder: join(folder, 'out') }, ports));
const lockOf = async (at: Scene): Promise<Lock['images'][number]> => {
  const [image] = (await resolve(at)).lock.images;
  if (image === undefined) throw new Error('no image was locked');
  return image;
};

describe('an image from what docker save writes', () => {
  const saved = savedTar([{ image: gatekeeper, tags: [GATEKEEPER] }]);

  it('gets a manifest of its own; config and layers stay as they are, a layer that comes twice is there once', async () => {
    const image = await lockOf(await scene('docker-archive:./gk.tar', { 'gk.tar': saved }));
    const [config, ...layers] = image.blobs;
    expect(config).toMatchObject({ digest: [...gatekeeper.blobs.keys()][0], mediaType: MEDIA.config });
    expect(layers.map(({ digest, mediaType }) => [digest, mediaType])).toEqual(
      [twice, noise(70_000, 'b')].map((layer) => [digestOf(layer), 'application/vnd.oci.image.layer.v1.tar']),
    );
    expect(image).toMatchObject({ reference: GATEKEEPER, mediaType: MEDIA.manifest, platform: 'linux/amd64' });
    // Pinned: the same archive has to give the same manifest with every later deliver.
    expect(image.digest).toBe('sha256:709bdaccc789928a24e33d973908919459d9e651aabbd980db1e776d1ef1c1c8');
  });

  it('is packed from its places in the archive into the same bytes each time, and verifies', async () => {
    const one = await pack(await scene('docker-archive:gk.tar', { 'gk.tar': saved }));
    const again = await pack(await scene('docker-archive:gk.tar', { 'gk.tar': saved }));
    expect((await readFile(one.path)).equals(await readFile(again.path))).toBe(true);
    await runFlow(verifyFlow({ bundlePath: one.path, trust: [], allowUnsigned: true }));
    const bundle = await openBundle(one.path);
    onTestFinished(() => bundle.close());
    for (const [digest, bytes] of gatekeeper.blobs) expect(Buffer.from(await bundle.bytes(digest)).equals(bytes)).toBe(true);
  });

  it('does not depend on how the outer archive is laid out: names, order, times', async () => {
    const [config = Buffer.alloc(0), ...layers] = [...gatekeeper.blobs.values()];
    const names = ['0.tar', '1.tar', '0.tar'];
    const manifest = [{ Config: 'config', RepoTags: [GATEKEEPER], Layers: names }];
    const other = tarOfFiles({
      'manifest.json': Buffer.from(JSON.stringify(manifest)),
      config,
      '1.tar': layers[1] ?? Buffer.alloc(0),
      '0.tar': layers[0] ?? Buffer.alloc(0),
    });
    const first = await lockOf(await scene('docker-archive:gk.tar', { 'gk.tar': saved }));
    expect((await lockOf(await scene('docker-archive:gk.tar', { 'gk.tar': other }))).digest).toBe(first.digest);
  });

  it('keeps the manifest where a newer docker put one into the archive', async () => {
    const image = await lockOf(await scene('docker-archive:gk.tar', { 'gk.tar': savedLayoutTar(gatekeeper, GATEKEEPER) }));
    expect(image.digest).toBe(gatekeeper.descriptor.digest);
  });

  it('takes the one of several that is called like the reference, or that is named', async () => {
    const several = savedTar([
      { image: amd64, tags: ['other:1', 'docker.io/library/other:2'] },
      { image: gatekeeper, tags: [GATEKEEPER] },
    ]);
    const configs = [amd64, gatekeeper].map(({ blobs }) => [...blobs.keys()][0]);
    const from = async (place: string): Promise<unknown> =>
      (await lockOf(await scene(place, { 'gk.tar': several }))).blobs[0]?.digest;
    expect(await from('docker-archive:gk.tar')).toBe(configs[1]);
    expect(await from('docker-archive:gk.tar:other:2')).toBe(configs[0]);
    expect(await from('docker-archive:gk.tar:@0')).toBe(configs[0]);
    await expect(from('docker-archive:gk.tar:v9')).rejects.toThrowWithCode(
      'E_ARCHIVE',
      `other:1, docker.io/library/other:2, ${GATEKEEPER}`,
    );
    await expect(from('docker-archive:gk.tar:@7')).rejects.toThrowWithCode('E_ARCHIVE', 'no image @7');
  });

  it('joins archives of one platform each to one image', async () => {
    const files = {
      'amd.tar': savedTar([{ image: amd64, tags: [GATEKEEPER] }]),
      'arm.tar': savedTar([{ image: arm64, tags: [GATEKEEPER] }]),
    };
    const platforms = ['linux/amd64', 'linux/arm64'];
    const made = await scene(['docker-archive:amd.tar', 'docker-archive:arm.tar'], files, { platforms });
    expect(await lockOf(made)).toMatchObject({
      mediaType: MEDIA.index,
      manifests: [{ platform: 'linux/amd64' }, { platform: 'linux/arm64/v8' }],
    });
    await runFlow(verifyFlow({ bundlePath: (await pack(made)).path, trust: [], allowUnsigned: true }));
    await expect(resolve(await scene(['docker-archive:amd.tar', 'docker-archive:amd.tar'], files))).rejects.toThrowWithCode(
      'E_PLATFORM',
      'linux/amd64',
    );
  });
});

describe('an image from an OCI layout', () => {
  const files = layoutFiles([{ image: everything, name: 'v362' }]);
  const inFolder = Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`layout/${path}`, bytes]));

  it.each([
    ['a folder', 'oci:./layout', inFolder],
    ['an archive', 'oci-archive:./gk.tar', { 'gk.tar': tarOfFiles(files) }],
  ])('in %s has the digests of the layout, for the wanted platforms', async (_, place, content) => {
    const one = await lockOf(await scene(place, content, { platforms: ['linux/arm/v7'] }));
    expect(one.digest).toBe(armv7.descriptor.digest);
    const made = await scene(place, content, { platforms: ['linux/arm64', 'linux/amd64'] });
    expect((await lockOf(made)).manifests?.map(({ digest }) => digest)).toEqual(
      [amd64, arm64].map(({ descriptor }) => descriptor.digest),
    );
    await runFlow(verifyFlow({ bundlePath: (await pack(made)).path, trust: [], allowUnsigned: true }));
    await expect(resolve(await scene(place, content, { platforms: ['linux/s390x'] }))).rejects.toThrowWithCode(
      'E_PLATFORM',
      'linux/amd64, linux/arm64/v8, linux/arm/v7',
    );
  });

  it('keeps the whole index behind its digest', async () => {
    const reference = `${REPOSITORY}@${everything.descriptor.digest}`;
    const image = await lockOf(await scene('oci:layout', inFolder, { images: [reference] }));
    expect(image.digest).toBe(everything.descriptor.digest);
    expect(image.manifests).toHaveLength(4);
  });

  it('refuses one that lacks a layer or a platform of its index, while resolving', async () => {
    const layer = [...amd64.blobs.keys()][1] ?? '';
    const without = (digest: string): Record<string, Uint8Array> =>
      Object.fromEntries(Object.entries(inFolder).filter(([path]) => !path.endsWith(digest.slice(7))));
    await expect(resolve(await scene('oci:layout', without(layer)))).rejects.toThrowWithCode('E_ARCHIVE', layer);
    const child = amd64.descriptor.digest;
    await expect(resolve(await scene('oci:layout', without(child)))).rejects.toThrowWithCode('E_ARCHIVE', `manifest ${child}`);
    const damaged = { ...inFolder, [`layout/blobs/sha256/${child.slice(7)}`]: Buffer.from('{}') };
    await expect(resolve(await scene('oci:layout', damaged))).rejects.toThrowWithCode('E_DIGEST', /expected[\s\S]*got/);
  });
});

describe('what can not be used', () => {
  const saved = savedTar([{ image: gatekeeper, tags: [GATEKEEPER] }]);
  const layout = tarOfFiles(layoutFiles([{ image: gatekeeper }]));

  it.each([
    ['nothing', 'docker-archive:no.tar', {}, 'E_FILE_NOT_FOUND', 'no.tar'],
    ['a folder for an archive', 'docker-archive:gk', { 'gk/x': '' }, 'E_ARCHIVE', 'folder'],
    ['an archive for a folder', 'oci:gk.tar', { 'gk.tar': layout }, 'E_ARCHIVE', 'file'],
    ['a text', 'docker-archive:gk.tar', { 'gk.tar': 'hello' }, 'E_ARCHIVE', 'not a tar'],
    ['an empty file', 'docker-archive:gk.tar', { 'gk.tar': '' }, 'E_ARCHIVE', 'empty'],
    ['a compressed archive', 'docker-archive:gk.tar', { 'gk.tar': Buffer.from('1f8b0800', 'hex') }, 'E_ARCHIVE', 'gunzip'],
    ['a layout for docker save', 'docker-archive:gk.tar', { 'gk.tar': layout }, 'E_ARCHIVE', 'oci-archive:'],
    ['docker save for a layout', 'oci-archive:gk.tar', { 'gk.tar': saved }, 'E_ARCHIVE', 'docker-archive:'],
    ['one that is cut off', 'docker-archive:gk.tar', { 'gk.tar': saved.subarray(0, 40_000) }, 'E_ARCHIVE', 'cut off'],
    [
      'another name',
      'docker-archive:gk.tar',
      { 'gk.tar': savedTar([{ image: gatekeeper, tags: ['gk:v361'] }]) },
      'E_ARCHIVE',
      'gk:v361',
    ],
    [
      'a config that lies',
      'docker-archive:gk.tar',
      {
        'gk.tar': tarOfFiles({
          'manifest.json': Buffer.from('[{"Config":"c","Layers":["l"]}]'),
          c: Buffer.from('{"rootfs":{"diff_ids":[]}}'),
        }),
      },
      'E_ARCHIVE',
      '0 layers',
    ],
    [
      'a layer that is not in it',
      'docker-archive:gk.tar',
      {
        'gk.tar': tarOfFiles({
          'manifest.json': Buffer.from('[{"Config":"c","Layers":["l"]}]'),
          c: Buffer.from('{"rootfs":{"diff_ids":["x"]}}'),
        }),
      },
      'E_ARCHIVE',
      'the layer l',
    ],
  ] as const)('%s is refused with what to do', async (_, place, files, code, text) => {
    const at = await scene(place, files);
    await expect(resolve(at)).rejects.toThrowWithCode(code, text);
    await expect(stat(join(at.folder, 'suite.lock.yaml'))).rejects.toThrow('ENOENT');
  });

  it.each([
    ['a place of no known kind', { [REPOSITORY]: 'podman:x' }, 'E_REFERENCE', 'docker-archive:'],
    ['a place without a path', { [REPOSITORY]: 'oci-archive:' }, 'E_REFERENCE', 'no path'],
    ['an image that the release does not have', { 'project/gatekepper': 'oci:x' }, 'E_SCHEMA', 'no image of this release'],
    ['a name that is none', { 'UPPER CASE': 'oci:x' }, 'E_REFERENCE', 'not an image reference'],
    ['a variable in a name', { [`${REPOSITORY}:\${versions.x}`]: 'oci:x' }, 'E_SCHEMA', 'leave the tag out'],
  ])('%s is found before anything is read', async (_, images, code, text) => {
    const at = await scene('oci:x', {}, { sources: { images } });
    await expect(resolve(at)).rejects.toThrowWithCode(code as 'E_SCHEMA', text);
  });

  it('an archive that was built anew since the lock: what was expected, what is there', async () => {
    const at = await scene('docker-archive:gk.tar', { 'gk.tar': saved });
    const { digest } = await lockOf(at);
    await writeFile(join(at.folder, 'gk.tar'), savedTar([{ image: buildImage({ seed: 'newer' }), tags: [GATEKEEPER] }]));
    await expect(pack(at)).rejects.toThrowWithCode('E_DIGEST', new RegExp(`expected ${digest}[\\s\\S]*got +sha256:`));
  });

  it('a layer whose bytes changed in their place', async () => {
    const at = await scene('docker-archive:gk.tar', { 'gk.tar': saved });
    await resolve(at);
    const changed = Buffer.from(saved);
    const place = changed.indexOf(noise(70_000, 'b'));
    changed.writeUInt8(changed.readUInt8(place + 50_000) ^ 1, place + 50_000);
    await writeFile(join(at.folder, 'gk.tar'), changed);
    await expect(pack(at)).rejects.toThrowWithCode(
      'E_DIGEST',
      new RegExp(`expected ${digestOf(noise(70_000, 'b'))}[\\s\\S]*got`),
    );
  });
});

describe.skipIf(!hasCommand('tar'))('archives that tar makes', () => {
  it.each(['gnu', 'pax', 'ustar'])('in %s format, with “./” before its names and folders between them', async (format) => {
    const folder = await folderWith();
    const deep = join(folder, 'x', ...(format === 'ustar' ? ['d'.repeat(90)] : ['d'.repeat(90), 'e'.repeat(90)]));
    await mkdir(deep, { recursive: true });
    const [config = Buffer.alloc(0), ...layers] = [...amd64.blobs.values()];
    const name = join(deep, 'layer.tar').slice(folder.length + 3);
    const manifest = [{ Config: 'config.json', RepoTags: [GATEKEEPER], Layers: [name] }];
    await writeFile(join(folder, 'x/config.json'), config);
    await writeFile(join(deep, 'layer.tar'), layers[0] ?? '');
    await writeFile(join(folder, 'x/manifest.json'), JSON.stringify(manifest));
    tarOfFolder(join(folder, 'x'), join(folder, 'gk.tar'), `--format=${format}`);
    const image = await lockOf(await scene(`docker-archive:${join(folder, 'gk.tar')}`, {}));
    expect(image.blobs.map(({ digest }) => digest)).toEqual([...amd64.blobs.keys()]);
  });
});

describe.skipIf(!hasCommand('skopeo'))('archives that skopeo makes', () => {
  it.each(['docker-archive', 'oci-archive'])('as %s have the layers of the image', async (transport) => {
    const layer = layerTar('hello', Buffer.from('hello'));
    const image = buildImage({ layers: [layer] });
    const text = Buffer.from(image.bytes).toString('utf8').replaceAll('tar+gzip', 'tar');
    const plain = {
      ...image,
      bytes: Buffer.from(text),
      descriptor: { ...image.descriptor, digest: digestOf(text), size: text.length },
    };
    const files = layoutFiles([{ image: { ...plain, manifests: [plain] }, name: 'v362' }]);
    const folder = await folderWith(files);
    const out = join(await folderWith(), 'gk.tar');
    tool('skopeo', '--insecure-policy', 'copy', '-q', `oci:${folder}:v362`, `${transport}:${out}:${GATEKEEPER}`);
    const at = await scene(`${transport}:${out}`, {});
    expect((await lockOf(at)).blobs).toHaveLength(2);
    const { path } = await pack(at);
    if (process.getuid?.() !== 0) return;
    const inspected = tool('skopeo', 'inspect', `oci-archive:${path}:${GATEKEEPER}`);
    expect((JSON.parse(inspected) as { Digest: string }).Digest).toBe((await lockOf(at)).digest);
  });
});
