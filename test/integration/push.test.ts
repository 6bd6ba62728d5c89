import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Report } from '../../src/core/report.ts';
import { ADMIN } from '../lab/harbor/harness.ts';
import { startMemoryRegistry } from '../lab/harbor/memory-registry.ts';
import { buildImage, buildIndex, noise } from '../support/images.ts';
import { memoryBundle } from '../support/memory-bundle.ts';
import { finished, openPushBench, pushTo, type PushBench } from '../support/push-bench.ts';

let bench: PushBench;
beforeEach(async () => {
  bench = await openPushBench();
});
afterEach(() => bench.close());

const base = noise(400_000, 'shared base');
const busybox = buildImage({ seed: 'busybox', layers: [base, 1000] });
const exporter = buildImage({ seed: 'exporter', layers: [base, 70_000] });
const arm = buildImage({ seed: 'busybox/arm', platform: { os: 'linux', architecture: 'arm64' } });
const REFERENCES = ['docker.io/library/busybox:1.36', 'quay.io/prometheus/exporter:v1', 'registry.k8s.io/multi:2'] as const;

function release(chunk?: number): ReturnType<typeof memoryBundle> {
  const [one, two, three] = REFERENCES;
  const images = { [one]: busybox, [two]: exporter, [three]: buildIndex([busybox, arm]) };
  return memoryBundle(images, { charts: { web: buildImage({ seed: 'chart' }) }, ...(chunk === undefined ? {} : { chunk }) });
}

async function tagAt(repository: string, tag: string): Promise<string | undefined> {
  const accept = { accept: 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' };
  const answer = await bench.ask('HEAD', `/v2/${repository}/manifests/${tag}`, { headers: accept });
  return answer.status === 200 ? answer.headers['docker-content-digest'] : undefined;
}

function tagPuts(): string[] {
  return bench.registry.requests
    .filter(({ method, path }) => method === 'PUT' && /\/manifests\/(?!sha256:)/.test(path))
    .map(({ path }) => path);
}

describe('a push to an empty Harbor', () => {
  it('makes the projects, sends every blob once and mounts it elsewhere, keeps the digests', async () => {
    const bundle = release();
    const result = await bench.push(bundle);
    expect(result).toMatchObject({ taggedImages: 4, presentImages: 0, projectsMade: 4, presentBlobs: 0 });
    expect(Math.max(...bench.finishedUploads().values())).toBe(1);
    expect(result.pushedBlobs).toBe(bench.finishedUploads().size);
    expect(new Set(bundle.streamed).size).toBe(bundle.streamed.length);
    // The base is wanted by three repositories; busybox's own blobs by two.
    expect(result.mountedBlobs).toBe(4);
    expect(await tagAt('docker.io/library/busybox', '1.36')).toBe(busybox.descriptor.digest);
    expect(await tagAt('registry.k8s.io/multi', '2')).toBe(buildIndex([busybox, arm]).descriptor.digest);
    expect(await tagAt('charts/web', '1.0.0_2')).toBe(buildImage({ seed: 'chart' }).descriptor.digest);
  });

  it('sends nothing the second time', async () => {
    await bench.push(release());
    bench.newRequests();
    const second = await bench.push(release());
    expect(second).toMatchObject({ taggedImages: 0, presentImages: 4, pushedBlobs: 0, pushedBytes: 0, projectsMade: 0 });
    expect(bench.newRequests().filter((request) => !/^(HEAD|GET) /.test(request))).toEqual([]);
  });

  it('mounts a layer that an image which is there already holds in another repository', async () => {
    await bench.push(memoryBundle({ [REFERENCES[0]]: busybox }));
    const result = await bench.push(memoryBundle({ [REFERENCES[0]]: busybox, [REFERENCES[1]]: exporter }));
    expect(result).toMatchObject({ presentImages: 1, taggedImages: 1, mountedBlobs: 1 });
    expect(result.pushedBytes).toBeLessThan(base.length);
  });

  it('tells its progress in bytes, to the end', async () => {
    const seen: number[] = [];
    const report: Report = {
      progress: ({ done, total }) => {
        seen.push(done / total);
      },
      note: () => undefined,
    };
    await bench.push(release(10_000), { report });
    expect(seen.at(-1)).toBe(1);
    expect(seen.every((part) => part >= 0 && part <= 1)).toBe(true);
  });
});

describe('an interrupted push', () => {
  it('goes on without repeating a finished blob, and tags nothing before all is there', async () => {
    for (const stopAfter of [50_000, 200_000, 390_000]) {
      const stop = new AbortController();
      let sent = 0;
      const report: Report = {
        progress: ({ done }) => {
          sent = Math.max(sent, done);
          if (sent > stopAfter) stop.abort(new Error('pulled the plug'));
        },
        note: () => undefined,
      };
      const push = bench.push(release(20_000), { report, signal: stop.signal, concurrency: 2 });
      await expect(push).rejects.toThrow('pulled the plug');
      expect(tagPuts()).toEqual([]);
    }
    const last = await bench.push(release());
    expect(last.taggedImages + last.presentImages).toBe(4);
    expect(Math.max(...bench.finishedUploads().values())).toBe(1);
    expect(await tagAt('quay.io/prometheus/exporter', 'v1')).toBe(exporter.descriptor.digest);
  });

  it('restarts only the blob whose connection broke', async () => {
    bench.registry.faults.add({ method: 'PATCH', skip: 2, cutAfter: 300 });
    const bundle = release();
    await bench.push(bundle, { concurrency: 1 });
    const begun = bundle.streamed.length - new Set(bundle.streamed).size;
    expect(begun).toBe(1);
    expect(Math.max(...bench.finishedUploads().values())).toBe(1);
  });

  it('gives up on a registry that keeps failing, and says what has arrived', async () => {
    bench.registry.faults.add({ method: 'PATCH', skip: 2, times: 100, status: 500 });
    const push = bench.push(release(), { concurrency: 1 });
    await expect(push).rejects.toThrowWithCode('E_REGISTRY', /nothing was tagged/);
    expect(tagPuts()).toEqual([]);
  });

  it('gets past one 503 and one 429 of every kind of request', async () => {
    for (const method of ['HEAD', 'POST', 'PATCH', 'PUT']) {
      bench.registry.faults.add({ method, status: 503 });
      bench.registry.faults.add({ method, skip: 2, status: 429, headers: { 'Retry-After': '0' } });
    }
    expect((await bench.push(release())).taggedImages).toBe(4);
  });
});

describe('a push that may not be', () => {
  it('says that the password is wrong before it does anything', async () => {
    const push = bench.push(release(), { account: { username: ADMIN.name, password: 'not-the-password' } });
    await expect(push).rejects.toThrowWithCode('E_REGISTRY_AUTH', ADMIN.name);
    expect(bench.newRequests().filter((request) => !request.startsWith('GET '))).toEqual([]);
  });

  it('says that the project is missing where it is not told of a Harbor', async () => {
    await expect(bench.push(release(), { type: 'plain' })).rejects.toThrowWithCode('E_REGISTRY', 'project');
  });

  it('repeats Harbor’s words about the quota', async () => {
    await bench.project('docker.io', { storage_limit: 100_000 });
    await expect(bench.push(release())).rejects.toThrowWithCode('E_REGISTRY_QUOTA', 'will exceed the configured upper limit');
    expect(tagPuts()).toEqual([]);
  });

  it('leaves an immutable tag alone when it is the same, and refuses to change it', async () => {
    await bench.push(release());
    const rule = {
      disabled: false,
      action: 'immutable',
      template: 'immutable_template',
      tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**' }],
      scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
    };
    expect((await bench.api('POST', '/projects/docker.io/immutabletagrules', { json: rule })).status).toBe(201);
    expect((await bench.push(release())).presentImages).toBe(4);
    const changed = memoryBundle({ [REFERENCES[0]]: arm });
    await expect(bench.push(changed)).rejects.toThrowWithCode('E_REGISTRY_IMMUTABLE', 'immutable');
    expect(await tagAt('docker.io/library/busybox', '1.36')).toBe(busybox.descriptor.digest);
  });

  it('names read-only mode', async () => {
    bench.harbor.harbor.state.settings.readOnly = true;
    await expect(bench.push(release())).rejects.toThrowWithCode('E_REGISTRY_READ_ONLY', 'read only');
  });

  it('never hands on a blob that is not what the lock says', async () => {
    const bundle = release();
    const [layer] = [...exporter.blobs.keys()].slice(-1);
    if (layer === undefined) throw new Error('no layer');
    bundle.corrupt(layer);
    await expect(bench.push(bundle)).rejects.toThrowWithCode('E_DIGEST', /nothing was tagged/);
    expect(bench.finishedUploads().has(layer)).toBe(false);
    expect(tagPuts()).toEqual([]);
  });

  it('does not begin with a bundle that lacks what the registry lacks', async () => {
    const bundle = release();
    const blobs = new Map([...bundle.blobs].slice(0, 3));
    await expect(bench.push({ ...bundle, blobs })).rejects.toThrowWithCode('E_BUNDLE', 'Nothing was pushed');
    expect(bench.finishedUploads().size).toBe(0);
  });
});

describe('any other registry', () => {
  it.each([
    ['with relative locations', { relativeLocations: true }],
    ['with tokens', { auth: { kind: 'token', users: { admin: ADMIN.password }, expiresInSeconds: 300 } }],
    ['of distribution 2.8', { flavour: 'distribution' }],
  ] as const)('%s takes a push', async (_kind, options) => {
    const registry = await startMemoryRegistry(options);
    try {
      const result = await pushTo(registry.host, release());
      expect(result).toMatchObject({ taggedImages: 4, projectsMade: 0 });
      expect(Math.max(...finished(registry.requests).values())).toBe(1);
    } finally {
      await registry.close();
    }
  });
});
