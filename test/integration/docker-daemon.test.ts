import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { packFlow, type PackPorts, type PackResult } from '../../src/flows/pack.ts';
import { resolveFlow, type ResolveResult } from '../../src/flows/resolve.ts';
import { verifyFlow } from '../../src/flows/verify.ts';
import { createImageSource } from '../../src/registry/image-source.ts';
import { createFileSource } from '../../src/store/file-source.ts';
import { noDockerd, startDockerd, type Dockerd } from '../support/dockerd.ts';
import { folderWith } from '../support/files.ts';
import { layerTar, savedTar } from '../support/image-files.ts';
import { buildImage, noise, type BuiltImage } from '../support/images.ts';
import { releaseText } from '../support/releases.ts';
import { runFlow } from '../support/run-flow.ts';

const GATEKEEPER = 'dockerhub.kubekey.local/project/gatekeeper:v362';
const layers = [layerTar('a', noise(90_000, 'a')), layerTar('b', Buffer.from('b'))];
const image = buildImage({ layers });
const configOf = ({ blobs }: BuiltImage): unknown => [...blobs.keys()][0];

const portsFor = (env: Readonly<Record<string, string>>): PackPorts => ({
  images: (sources, folder) => {
    const source = createImageSource(sources, env, folder, { retry: { retries: 0, firstDelay: 1 } });
    onTestFinished(() => source.close());
    return source;
  },
  files: () => createFileSource({ firstDelay: 1 }),
  askPassphrase: () => Promise.reject(new Error('nobody should be asked')),
});

async function releaseWith(place: string): Promise<{ path: string; folder: string }> {
  const sources = { images: { [GATEKEEPER]: place } };
  const folder = await folderWith({ 'suite.yaml': releaseText({ sources, images: [GATEKEEPER] }) });
  return { path: join(folder, 'suite.yaml'), folder };
}

describe('without a docker daemon', () => {
  it.each([
    ['no socket', 'unix:///nowhere/docker.sock', 'No docker daemon answers at /nowhere/docker.sock'],
    ['a daemon on another machine', 'tcp://10.0.0.1:2375', 'through its unix socket only'],
  ])('%s is told, with the way that needs none', async (_, host, text) => {
    const { path } = await releaseWith('docker-daemon');
    const flow = resolveFlow({ releasePath: path }, portsFor({ DOCKER_HOST: host }));
    await expect(runFlow(flow)).rejects.toThrowWithCode('E_SOURCE', text);
    await expect(runFlow(flow)).rejects.toThrowWithCode('E_SOURCE', 'docker save');
  });
});

// `skipIf` shows what was left out on a machine that has no dockerd (test/lab/dockerd.sh).
describe.skipIf(noDockerd !== undefined)('a real docker daemon', () => {
  let daemon: Dockerd;
  beforeAll(async () => {
    daemon = await startDockerd();
  });
  afterAll(() => daemon.stop());

  const env = (spool: string): Record<string, string> => ({ DOCKER_HOST: `unix://${daemon.socket}`, TMPDIR: spool });
  const resolve = async (place: string): Promise<ResolveResult> =>
    runFlow(resolveFlow({ releasePath: (await releaseWith(place)).path }, portsFor(env(await folderWith()))));

  it('gives an image as it is: config and layers, by name and by id', async () => {
    await daemon.load(savedTar([{ image, tags: [GATEKEEPER] }]));
    const [byName] = (await resolve('docker-daemon')).lock.images;
    expect(byName?.blobs.map(({ digest }) => digest)).toEqual([configOf(image), ...layers.map(digestOf)]);
    const [byId] = (await resolve(`docker-daemon:${String(configOf(image))}`)).lock.images;
    expect(byId?.digest).toBe(byName?.digest);
    await expect(resolve('docker-daemon:nope:1')).rejects.toThrowWithCode('E_SOURCE_NOT_FOUND', 'no image nope:1');
  });

  it('is packed to the digest that was locked, and nothing stays behind of the export', async () => {
    await daemon.load(savedTar([{ image, tags: [GATEKEEPER] }]));
    const spool = await folderWith();
    const { path, folder } = await releaseWith('docker-daemon');
    await runFlow(resolveFlow({ releasePath: path }, portsFor(env(spool))));
    const pack = (): Promise<PackResult> =>
      runFlow(packFlow({ releasePath: path, outputFolder: join(folder, 'out') }, portsFor(env(spool))));
    await runFlow(verifyFlow({ bundlePath: (await pack()).path, trust: [], allowUnsigned: true }));
    expect(await readdir(spool)).toEqual([]);
  });

  it('is refused when the name means another image since the lock', async () => {
    await daemon.load(savedTar([{ image, tags: [GATEKEEPER] }]));
    const { path, folder } = await releaseWith('docker-daemon');
    const ports = portsFor(env(await folderWith()));
    const [locked] = (await runFlow(resolveFlow({ releasePath: path }, ports))).lock.images;
    const newer = buildImage({ layers: [layerTar('a', Buffer.from('newer'))] });
    await daemon.load(savedTar([{ image: newer, tags: [GATEKEEPER] }]));
    const pack = runFlow(packFlow({ releasePath: path, outputFolder: join(folder, 'out') }, portsFor(env(await folderWith()))));
    await expect(pack).rejects.toThrowWithCode('E_DIGEST', new RegExp(`expected ${locked?.digest ?? ''}[\\s\\S]*got`));
  });
});
