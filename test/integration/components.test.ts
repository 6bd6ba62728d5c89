import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { SILENT, type Report } from '../../src/core/report.ts';
import { packFlow } from '../../src/flows/pack.ts';
import { resolveFlow, type ResolveFlowPorts } from '../../src/flows/resolve.ts';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import type { Lock } from '../../src/lock/lock-schema.ts';
import { readLock } from '../../src/lock/lock-file.ts';
import { imagesByTable } from '../../src/lock/component-image-table.ts';
import { proveClosed } from '../../src/lock/prove-closed.ts';
import { createFileSource } from '../../src/store/file-source.ts';
import { folderWith } from '../support/files.ts';
import { startHttp } from '../support/http.ts';
import { buildImage, buildIndex, type BuiltImage } from '../support/images.ts';
import { memorySource } from '../support/memory-source.ts';
import { releaseText } from '../support/releases.ts';

const HERE = `linux-${process.arch === 'x64' ? 'amd64' : process.arch}`;
const ARCH = HERE.slice('linux-'.length);
/** A kubeadm that says with what it was run, as images; a real one is asked in test/e2e. */
const KUBEADM = `#!/bin/sh
[ "$1 $2 $3 $4" = "config images list --kubernetes-version" ] || exit 9
[ -z "$HOME$PATH_OF_TEST" ] || exit 8
echo "registry.k8s.io/kube-apiserver:$5"
echo "registry.k8s.io/pause:3.10.1"
`;
const hex = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('hex');

const forBoth = (seed: string): BuiltImage =>
  buildIndex(['amd64', 'arm64'].map((architecture) => buildImage({ seed, platform: { os: 'linux', architecture } })));
const images = memorySource(
  Object.fromEntries(
    [
      'registry.k8s.io/kube-apiserver:v1.99.1',
      'registry.k8s.io/pause:3.10.1',
      'docker.io/library/haproxy:2.6.12',
      'example.org/net:1',
    ].map((reference) => [reference, forBoth(reference)]),
  ),
);

/** A web server of these files, and what it was asked for. */
async function mirror(files: Map<string, string>): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const url = await startHttp((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const body = files.get(path);
    response.statusCode = body === undefined ? 404 : 200;
    // In one piece, so with its length: as servers of files do.
    response.end(body);
  });
  return { url, asked };
}

const ports: ResolveFlowPorts = { images: () => images, files: () => createFileSource({ firstDelay: 1 }) };

async function run(path: string, check = false): Promise<{ lock: Lock; notes: string[]; outcome: string }> {
  const flow = resolveFlow({ releasePath: path, check }, ports);
  const notes: string[] = [];
  const report: Report = { ...SILENT, note: (line) => void notes.push(line) };
  for (const step of flow.steps) await step.run(report, new AbortController().signal);
  return { lock: flow.result().lock, notes, outcome: flow.result().outcome };
}

describe('a release that carries Kubernetes', () => {
  let files: Map<string, string>;
  let url: string;
  let asked: string[];

  const bin = (name: string): string => `/k8s/release/v1.99.1/bin/linux/${ARCH}/${name}`;
  const release = (fields: Record<string, unknown> = {}, components: Record<string, string> = {}): string =>
    releaseText({
      platforms: [`linux/${ARCH}`],
      kubernetes: { version: 'v1.99.1', components },
      sources: {
        base: {
          'https://dl.k8s.io': `${url}/k8s`,
          'https://github.com': `${url}/gh`,
          'https://download.docker.com': `${url}/docker`,
        },
      },
      ...fields,
    });
  const released = async (fields?: Record<string, unknown>, components?: Record<string, string>): Promise<string> =>
    join(await folderWith({ 'suite.yaml': release(fields, components) }), 'suite.yaml');

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  beforeEach(async () => {
    files = new Map();
    for (const [name, content] of Object.entries({ kubeadm: KUBEADM, kubelet: 'kubelet', kubectl: 'kubectl' })) {
      files.set(bin(name), content);
      files.set(`${bin(name)}.sha256`, `${hex('sha256', content)}\n`);
    }
    ({ url, asked } = await mirror(files));
  });

  it('locks its programs, and the images that this very kubeadm names', async () => {
    const path = await released({}, { haproxy: '2.6.12' });
    const temporary = await folderWith();
    vi.stubEnv('TMPDIR', temporary);
    const { lock, notes } = await run(path);
    expect(lock.files.map(({ name, title, component }) => [name, title, component?.version])).toEqual(
      ['kubeadm', 'kubelet', 'kubectl'].map((name) => [`components/${name}/${HERE}`, name, 'v1.99.1']),
    );
    expect(lock.files[0]?.digest).toBe(digestOf(KUBEADM));
    expect(lock.images.map(({ reference, neededBy }) => [reference, neededBy])).toEqual([
      ['registry.k8s.io/kube-apiserver:v1.99.1', ['kubernetes v1.99.1']],
      ['registry.k8s.io/pause:3.10.1', ['kubernetes v1.99.1']],
      ['docker.io/library/haproxy:2.6.12', ['kubernetes.components.haproxy']],
    ]);
    expect(notes.join()).toContain('Kubernetes 1.99 is newer than deliver’s rules');
    expect(await readdir(temporary)).toEqual([]);
  });

  it('downloads and runs nothing again while upstream’s checksums are the same', async () => {
    const path = await released();
    await run(path);
    asked.length = 0;
    expect((await run(path)).outcome).toBe('unchanged');
    expect(asked.sort()).toEqual(['kubeadm', 'kubectl', 'kubelet'].map((name) => `${bin(name)}.sha256`));
    expect((await run(path, true)).outcome).toBe('unchanged');
  });

  it('refuses a program that is not what upstream published, and never runs it', async () => {
    files.set(bin('kubeadm'), `#!/bin/sh\ntouch ${await folderWith()}/ran\n`);
    await expect(run(await released())).rejects.toThrowWithCode(
      'E_DIGEST',
      `kubeadm v1.99.1 for linux/${ARCH} is not what its project`,
    );
  });

  it('does not run a kubeadm that nobody vouches for', async () => {
    files.delete(`${bin('kubeadm')}.sha256`);
    await expect(run(await released())).rejects.toThrowWithCode('E_COMPONENT', 'kubeadm.sha256 beside kubeadm');
  });

  it('takes the images from the table where kubeadm is for another machine or fails here, and refuses where that ends', async () => {
    const other = ARCH === 'amd64' ? 'arm64' : 'amd64';
    const known = imagesByTable('v1.34.4') ?? [];
    const publish = (version: string, arch: string): void => {
      for (const name of ['kubeadm', 'kubelet', 'kubectl']) {
        const path = `/k8s/release/${version}/bin/linux/${arch}/${name}`;
        files.set(path, '#!/bin/sh\nexit 1\n');
        files.set(`${path}.sha256`, hex('sha256', '#!/bin/sh\nexit 1\n'));
      }
    };
    for (const reference of known) images.put(reference, forBoth(reference));
    for (const arch of [ARCH, other]) {
      for (const version of ['v1.34.4', 'v1.98.0']) publish(version, arch);
      const kubernetes = (version: string): object => ({ platforms: [`linux/${arch}`], kubernetes: { version, components: {} } });
      const { lock } = await run(await released({ ...kubernetes('v1.34.4') }));
      expect(lock.images.map(({ reference }) => reference)).toEqual(known);
      await expect(run(await released({ ...kubernetes('v1.98.0') }))).rejects.toThrowWithCode('E_COMPONENT');
    }
  });

  it('says which program can’t be had, at which address, and how to name another', async () => {
    const path = await released({}, { runc: '9.9.9' });
    await expect(run(path)).rejects.toThrowWithCode('E_SOURCE_NOT_FOUND', `runc v9.9.9 for linux/${ARCH} can’t be had.`);
    await expect(run(path)).rejects.toThrowWithCode(
      'E_SOURCE_NOT_FOUND',
      `${url}/gh/opencontainers/runc/releases/download/v9.9.9/`,
    );
    await expect(run(path)).rejects.toThrowWithCode('E_SOURCE_NOT_FOUND', 'sources.files.runc');
  });

  it('says where versions do not go together', async () => {
    const path = await released({ kubernetes: { version: 'v1.36.0', components: { containerd: '1.7.28' } } });
    await expect(run(path)).rejects.toThrowWithCode(
      'E_SKEW',
      /suite\.yaml:\d+:\d+ {2}kubernetes\.components\.containerd: Kubernetes 1\.36/,
    );
  });

  it('compares Harbor with its md5 and says that this is weak; docker publishes nothing to compare with', async () => {
    const installer = `/gh/goharbor/harbor/releases/download/v2.16.0/harbor-offline-installer-v2.16.0-${ARCH}.tgz`;
    const gnu = { amd64: 'x86_64', arm64: 'aarch64' }[ARCH] ?? ARCH;
    files.set(installer, 'harbor');
    files.set(
      '/gh/goharbor/harbor/releases/download/v2.16.0/md5sum',
      `${hex('md5', 'harbor')}  ${installer.split('/').at(-1) ?? ''}\n`,
    );
    files.set(`/docker/linux/static/stable/${gnu}/docker-28.3.0.tgz`, 'docker');
    const path = await released({}, { harbor: '2.16.0', docker: '28.3.0' });
    const { lock, notes } = await run(path);
    expect(lock.files.find(({ component }) => component?.name === 'harbor')?.digest).toBe(digestOf('harbor'));
    expect(notes).toContain(`Checked against an md5 only, which is weak: harbor v2.16.0 for linux/${ARCH}.`);
    expect(notes).toContain(`No checksum beside it at its source, so only the lock pins it: docker 28.3.0 for linux/${ARCH}.`);
    files.set(installer, 'another');
    await expect(run(path)).rejects.toThrowWithCode('E_DIGEST', 'md5');
  });

  it('is not closed without a program, or without an image that kubeadm names', async () => {
    const { lock } = await run(await released());
    expect(proveClosed(lock).images).toBe(2);
    expect(() => proveClosed({ ...lock, files: lock.files.slice(0, 2) })).toThrowWithCode('E_NOT_CLOSED', 'kubectl v1.99.1');
    expect(() => proveClosed({ ...lock, images: [] })).toThrowWithCode('E_NOT_CLOSED', 'pause:3.10.1  from kubernetes v1.99.1');
    const silent = lock.files.map(({ images: _, ...file }) => file);
    expect(() => proveClosed({ ...lock, files: silent, images: [] })).toThrowWithCode('E_NOT_CLOSED', 'the images that it needs');
  });

  describe('and manifests', () => {
    const NET = `apiVersion: apps/v1\nkind: DaemonSet\nmetadata: { name: net }\nspec: { template: { spec: { containers: [{ image: "example.org/net:1" }] } } }\n`;

    const withManifests = async (): Promise<{ path: string; folder: string }> => {
      const folder = await folderWith({
        'suite.yaml': release({ manifests: [{ path: './net' }, { path: 'one.yaml' }] }),
        'net/b.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: net }\n',
        'net/a/ds.yml': NET,
        'net/README.md': 'no manifest',
        'net/.hidden.yaml': 'nor this',
        'one.yaml': '---\n',
      });
      return { path: join(folder, 'suite.yaml'), folder };
    };

    it('carries their files in order and the images of their pods', async () => {
      const { path } = await withManifests();
      const { lock } = await run(path);
      expect(lock.files.slice(3).map(({ name, source }) => [name, source])).toEqual([
        ['manifests/0/a/ds.yml', 'net/a/ds.yml'],
        ['manifests/0/b.yaml', 'net/b.yaml'],
        ['manifests/1/one.yaml', 'one.yaml'],
      ]);
      expect(lock.images.at(-1)?.neededBy).toEqual(['manifests[0], a/ds.yml, DaemonSet net']);
      expect(() => proveClosed({ ...lock, images: lock.images.slice(0, -1) })).toThrowWithCode(
        'E_NOT_CLOSED',
        'example.org/net:1',
      );
      expect(() => proveClosed({ ...lock, files: lock.files.slice(0, -1) })).toThrowWithCode(
        'E_NOT_CLOSED',
        'one.yaml  from manifests[1]',
      );
    });

    it('packs them, and looks again when a manifest changed since the lock', async () => {
      const { path, folder } = await withManifests();
      const pack = async (): Promise<{ path: string; notes: string[] }> => {
        const flow = packFlow(
          { releasePath: path, outputFolder: join(folder, 'out') },
          { ...ports, askPassphrase: () => Promise.reject(new Error('no key')) },
        );
        const notes: string[] = [];
        for (const step of flow.steps)
          await step.run({ ...SILENT, note: (line) => void notes.push(line) }, new AbortController().signal);
        return { path: flow.result().path, notes };
      };
      const bundle = await openBundle((await pack()).path);
      onTestFinished(() => bundle.close());
      const file = bundle.lock.files.find(({ name }) => name === 'manifests/0/a/ds.yml');
      expect(Buffer.from(await bundle.bytes(digestOf(NET))).toString()).toBe(NET);
      expect(file?.images).toEqual(['example.org/net:1']);
      expect((await pack()).notes.join()).toContain('lock unchanged');
      await writeFile(join(folder, 'net/b.yaml'), 'apiVersion: v1\nkind: Namespace\nmetadata: { name: other }\n');
      expect((await pack()).notes.join()).toContain('file manifests/0/b.yaml: sha256:');
    });

    it.each([
      ['a kustomization', { 'net/kustomization.yaml': 'resources: []\n' }, 'E_NOT_YET', 'kubectl kustomize'],
      ['a folder without any', { 'net/README.md': '' }, 'E_SCHEMA', 'holds no manifest'],
      ['a path that is not there', {}, 'E_FILE_NOT_FOUND', 'manifests[0]: ./net is not there'],
      ['a manifest with a mistake', { 'net/a.yaml': 'a: [1\n' }, 'E_YAML', /net\/a\.yaml:\d+:\d+/],
    ] as const)('is refused for %s', async (_, more, code, text) => {
      const folder = await folderWith({ 'suite.yaml': release({ manifests: [{ path: './net' }] }), ...more });
      await expect(run(join(folder, 'suite.yaml'))).rejects.toThrowWithCode(code, text);
    });
  });

  it('leaves locks of before readable: what is new in them is optional', async () => {
    const path = await released({ kubernetes: { version: 'v1.99.1' } });
    const { lock } = await run(path);
    expect(lock.files).toEqual([]);
    const text = await readFile(path.replace('.yaml', '.lock.yaml'), 'utf8');
    expect(text).not.toContain('component:');
    expect(await readLock(path.replace('.yaml', '.lock.yaml'))).toEqual(lock);
  });
});
