import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { planBundle } from '../../src/bundle/plan.ts';
import { SILENT, type StepResult } from '../../src/core/report.ts';
import { Secret } from '../../src/core/secret.ts';
import { imagesPreflight } from '../../src/flows/preflight/images.ts';
import { imagesStep, letOldImagesGo } from '../../src/flows/install/images-step.ts';
import type { SitePorts } from '../../src/flows/site-ports.ts';
import { SiteSchema } from '../../src/manifest/site-schema.ts';
import { httpListener } from '../../src/serve/http-listener.ts';
import type { HttpListener, Served } from '../../src/serve/port.ts';
import { createConnector } from '../../src/ssh/connector.ts';
import { someSecrets } from '../support/apps.ts';
import { bundleBytes } from '../support/bundles.ts';
import { CONTAINERD_LINES, startContainerd, whyNoContainerd, type Containerd } from '../support/containerd.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { folderWith } from '../support/files.ts';
import { releaseOf } from '../support/image-release.ts';
import { buildImage, noise } from '../support/images.ts';
import { startSshd, whyNoSshd, type Sshd } from '../support/sshd.ts';
import { tarMember, tarOf } from '../support/tar-builder.ts';
import { descendants, kill } from '../support/processes.ts';

const missing = whyNoContainerd() ?? whyNoSshd();
const never = new AbortController().signal;

/** An image that containerd can unpack: its layers are archives, its diff_ids theirs. */
function imageOf(seed: string, size = 200_000): ReturnType<typeof buildImage> {
  return buildImage({ seed, layers: [tarOf([tarMember({ name: 'data', content: Buffer.from(noise(size, seed)) })])] });
}

const ONE = 'docker.io/library/one:1';
const TWO = 'registry.k8s.io/two:1';

interface Node {
  readonly name: string;
  readonly store: Containerd;
  readonly sshd: Sshd;
}

interface Run {
  readonly ports: SitePorts;
  /** What was asked of the bundle. */
  readonly log: readonly Served[];
  readonly step: () => Promise<StepResult>;
  readonly letGo: () => Promise<StepResult>;
  readonly blobs: () => string[];
}

describeUnless(missing, 'nodes of a site without a registry', { timeout: 120_000 }, () => {
  const nodes: Node[] = [];

  beforeAll(async () => {
    for (const [index, line] of CONTAINERD_LINES.entries()) {
      const store = await startContainerd(line);
      nodes.push({ name: `w${String(index + 1)}`, store, sshd: await startSshd({ env: store.sshd }) });
    }
  }, 90_000);

  afterAll(async () => {
    await Promise.all(nodes.map(({ sshd }) => sshd.stop()));
    await Promise.all(nodes.map(({ store }) => store.stop()));
  }, 60_000);

  /** One run of deliver: its own connections, its own endpoint. @param asked told of every request before it is answered */
  const runOf = async (
    images: Readonly<Record<string, ReturnType<typeof buildImage>>>,
    { on = nodes, asked = () => undefined }: { readonly on?: readonly Node[]; readonly asked?: (target: string) => void } = {},
  ): Promise<Run> => {
    const folder = await folderWith();
    const { lock, content } = releaseOf(Object.entries(images).map(([reference, image]) => ({ reference, image })));
    const path = join(folder, 'suite.tar');
    await writeFile(path, bundleBytes(planBundle(lock, []), content));
    const bundle = await openBundle(path);
    const site = SiteSchema.parse({
      apiVersion: 'deliver/v1',
      kind: 'Site',
      metadata: { name: 'edge' },
      hosts: on.map(({ name, sshd }) => sshd.host(name)),
    });
    const hosts = createConnector({
      hosts: site.hosts ?? [],
      folder,
      knownHostsPath: join(folder, 'known_hosts'),
      secrets: (variable) => new Secret(variable),
      limits: { dial: 5000, login: 5000 },
    });
    onTestFinished(async () => {
      await hosts.close();
      await bundle.close();
    });
    const log: Served[] = [];
    const http: HttpListener = {
      listen: (options, answer, served) =>
        httpListener.listen(
          options,
          (request, signal) => {
            asked(request.target);
            return answer(request, signal);
          },
          (one) => {
            log.push(one);
            served(one);
          },
        ),
    };
    const ports: SitePorts = {
      loaded: { path: 'site.yaml', folder, text: '', positionOf: () => '', site },
      secrets: someSecrets(),
      hosts,
      http,
      trusted: { keys: [], threshold: 1 },
      stateFolder: folder,
      openBundle,
      registry: () => Promise.reject(new Error('there is no registry')),
      cluster: () => Promise.reject(new Error('there is no cluster')),
      close: () => hosts.close(),
    };
    const session = { bundle, release: lock.release };
    return {
      ports,
      log,
      step: () => imagesStep(() => session, ports).run(SILENT, never),
      letGo: () => letOldImagesGo(session, ports, never),
      blobs: () => log.filter(({ target }) => target.includes('/blobs/')).map(({ target }) => target),
    };
  };
  const held = ({ store }: Node): string[] => store.ctr('images', 'ls', '-q').trim().split('\n').filter(Boolean).sort();
  const lineOf = ({ store }: Node, reference: string): string =>
    store.ctr('images', 'ls', `name==${reference}`).trim().split('\n').at(-1) ?? '';
  const clear = ({ store }: Node): void => {
    for (const line of store.ctr('images', 'ls', '-q').trim().split('\n').filter(Boolean))
      store.ctr('images', 'rm', '--sync', line);
  };

  it('pull every image out of the bundle through their own connections and pin it; the next run asks for nothing', async () => {
    for (const node of nodes) clear(node);
    const images = { [ONE]: imageOf('one'), [TWO]: imageOf('two') };
    const first = await runOf(images);
    expect(await first.step()).toMatchObject({ changed: 4, summary: expect.stringContaining('4 images') });
    for (const node of nodes) {
      expect(held(node)).toEqual([ONE, TWO]);
      expect(lineOf(node, ONE)).toContain(images[ONE].descriptor.digest);
      expect(lineOf(node, ONE)).toContain('io.cri-containerd.pinned=pinned');
      expect(node.store.ctr('images', 'check', `name==${TWO}`)).toMatch(/ complete \(\d\/\d\).* true/);
    }
    const again = await runOf(images);
    expect(await again.step()).toEqual({ summary: 'no change', changed: 0 });
    expect(again.log).toEqual([]);
    expect((await again.letGo()).changed).toBe(0);
  });

  it('keep what others pulled there, and fetch only what has another digest than the release', async () => {
    for (const node of nodes) clear(node);
    const old = await runOf({ [ONE]: imageOf('old'), [TWO]: imageOf('two') });
    await old.step();
    const [node] = nodes;
    node?.store.ctr('images', 'label', TWO, 'io.cri-containerd.pinned=');
    const moved = await runOf({ [ONE]: imageOf('new'), [TWO]: imageOf('two') }, { on: nodes.slice(0, 1) });
    expect((await moved.step()).changed).toBe(2);
    expect(moved.log.length).toBeGreaterThan(0);
    expect(moved.log.every(({ target }) => target.includes('/one/'))).toBe(true);
    if (node !== undefined) expect(lineOf(node, TWO)).toContain('io.cri-containerd.pinned=pinned');
    expect((await moved.step()).changed).toBe(0);
  });

  it('let go of what the new version no longer has, at its end, unless another release keeps it', async () => {
    const [node] = nodes;
    if (node === undefined) throw new Error('no node');
    clear(node);
    const on = [node];
    await (await runOf({ [ONE]: imageOf('one'), [TWO]: imageOf('two') }, { on })).step();
    const next = await runOf({ [ONE]: imageOf('one') }, { on });
    await next.step();
    expect(lineOf(node, TWO)).toContain('pinned=pinned');
    node.store.ctr('images', 'label', ONE, 'deliver.release/other=kept');
    expect((await next.letGo()).changed).toBe(1);
    expect(lineOf(node, TWO)).not.toContain('pinned');
    expect(held(node)).toEqual([ONE, TWO]);
    const none = await runOf({ [TWO]: imageOf('two') }, { on });
    await none.step();
    await none.letGo();
    expect(lineOf(node, ONE)).toContain('pinned=pinned');
    expect(lineOf(node, ONE)).not.toContain('deliver.release/suite');
  });

  it('that lose their connection in the middle are named, stop nobody else, and go on without pulling an image twice', async () => {
    for (const node of nodes) clear(node);
    const images = { [ONE]: imageOf('first'), [TWO]: imageOf('second', 30_000_000) };
    const [lost, other] = nodes;
    if (lost === undefined || other === undefined) throw new Error('no nodes');
    const large = [...images[TWO].blobs].find(([, { byteLength }]) => byteLength > 1_000_000)?.[0] ?? '';
    let cut = false;
    const first = await runOf(images, {
      asked: (target) => {
        // Both nodes ask for it; whoever is first, it is w1 whose session ends.
        if (cut || !target.includes(large)) return;
        cut = true;
        for (const pid of descendants(Number(readFileSync(join(lost.sshd.folder, 'pid'), 'utf8')))) kill(pid);
      },
    });
    await expect(first.step()).rejects.toThrowWithCode('E_SSH', 'w1');
    expect(cut).toBe(true);
    expect(held(other)).toEqual([ONE, TWO]);
    expect(held(lost)).toEqual([ONE]);
    const second = await runOf(images);
    expect(await second.step()).toMatchObject({ changed: 1 });
    expect(held(lost)).toEqual([ONE, TWO]);
    expect(second.log.every(({ target }) => target.includes('/two/'))).toBe(true);
    expect(second.blobs().some((target) => target.includes(large))).toBe(true);
  });

  it('whose sshd forbids it are found before anything is changed', async () => {
    const [node] = nodes;
    if (node === undefined) throw new Error('no node');
    const strict = await startSshd({ config: ['AllowTcpForwarding local'] });
    onTestFinished(() => strict.stop());
    const { ports } = await runOf({ [ONE]: imageOf('one') }, { on: [{ ...node, sshd: strict }, ...nodes.slice(1)] });
    const { checks } = await imagesPreflight(undefined, ports, never);
    expect(checks.map(({ id, host, outcome }) => [id, host, outcome])).toEqual([
      ['tunnel', 'w1', 'fail'],
      ['tunnel', 'w2', 'pass'],
    ]);
    expect(checks[0]?.fix).toContain('AllowTcpForwarding');
  });
});
