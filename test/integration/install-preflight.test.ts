import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { planBundle } from '../../src/bundle/plan.ts';
import { writeBundle } from '../../src/bundle/write-bundle.ts';
import { createClusterApi } from '../../src/cluster/kube-client.ts';
import { SILENT, type LanedFlow, type Step } from '../../src/core/report.ts';
import { runSteps } from '../../src/core/run-steps.ts';
import { installFlow } from '../../src/flows/install.ts';
import { planFlow } from '../../src/flows/plan.ts';
import type { SitePorts } from '../../src/flows/site-ports.ts';
import type { App } from '../../src/manifest/app-schema.ts';
import { SiteSchema } from '../../src/manifest/site-schema.ts';
import { httpListener } from '../../src/serve/http-listener.ts';
import { openSiteRegistry } from '../../src/registry/site-registry.ts';
import { startMemoryRegistry, type MemoryRegistry } from '../lab/harbor/memory-registry.ts';
import { anApp, someSecrets } from '../support/apps.ts';
import { buildRelease } from '../support/bundles.ts';
import { describeOnKube } from '../support/describe-on-kube.ts';
import type { KubeApiServer } from '../support/kube-api.ts';
import { localHosts } from '../support/local-host.ts';
import { MemoryOrigins } from '../support/memory-origins.ts';

const IMAGE = 'docker.io/library/busybox:1.36';

describeOnKube('an install on a site of one API server and one plain registry', {}, (started) => {
  let kube: KubeApiServer;
  let registry: MemoryRegistry;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'deliver-install-'));
    ({ kube } = started());
    registry = await startMemoryRegistry();
  }, 90_000);

  afterAll(async () => {
    await registry.close();
    rmSync(folder, { recursive: true });
  }, 30_000);

  const bundleOf = async (name: string, apps: readonly App[]): Promise<string> => {
    const { lock, content } = buildRelease({ name, images: [{ reference: IMAGE, layers: [Buffer.from(name)] }] });
    const path = join(folder, `${name}.tar`);
    const release = { ...lock.release, apps: [...apps] };
    await writeBundle(planBundle({ ...lock, release }, []), path, new MemoryOrigins(content));
    return path;
  };

  const run = async <T>(
    flow: (input: { bundlePath: string; allowUnsigned: boolean }, ports: SitePorts) => LanedFlow<T>,
    bundlePath: string,
  ): Promise<{ result: T; summaries: Record<string, string> }> => {
    const site = SiteSchema.parse({
      apiVersion: 'deliver/v1',
      kind: 'Site',
      metadata: { name: 'plant-7' },
      registry: { host: registry.host },
    });
    const api = await createClusterApi({ kubeconfig: kube.kubeconfig });
    const connection = await openSiteRegistry({ host: registry.host });
    const ports: SitePorts = {
      loaded: { path: 'site.yaml', folder, text: '', positionOf: () => '', site },
      secrets: someSecrets(),
      hosts: localHosts(),
      http: httpListener,
      trusted: { keys: [], threshold: 1 },
      stateFolder: join(folder, 'state'),
      openBundle,
      registry: () => Promise.resolve(connection),
      cluster: () => Promise.resolve(api),
      close: async () => {
        await connection.close();
        await api.close();
      },
    };
    const { signal } = new AbortController();
    const summaries: Record<string, string> = {};
    const keep = async (step: Step): Promise<void> => {
      summaries[step.id] = (await step.run(SILENT, signal)).summary;
    };
    return { result: await runSteps(flow({ bundlePath, allowUnsigned: true }, ports), keep, signal), summaries };
  };

  const app = (name: string, more: object = {}): App =>
    anApp({ name, namespace: 'default', kind: 'CronJob', schedule: '0 3 * * *', image: IMAGE, ...more });

  test.each([
    ['a secret that the site lacks', app('lacking', { secrets: { A: '${secret.nowhere}' } }), 'E_SECRET_MISSING'],
    ['what the API server refuses', app('refused', { labels: { 'not a label': 'x' } }), 'E_APPLY'],
  ] as const)('refuses %s before anything is changed, and says that nothing was', async (_, wanted, code) => {
    const bundle = await bundleOf(wanted.name, [wanted]);
    const before = (await kube.writes()).length;
    await expect(run(installFlow, bundle)).rejects.toThrowWithCode(code, 'Nothing was changed.');
    await expect(run(planFlow, bundle)).rejects.toThrowWithCode(code, 'Nothing was changed.');
    expect((await kube.writes()).slice(before)).toEqual([]);
    expect(registry.content.repositories.size).toBe(0);
  });

  test('does what was planned, and the second one nothing; a site without hosts is told what that means', async () => {
    const bundle = await bundleOf('suite', [app('nightly'), app('weekly', { env: { A: '1' } })]);
    const planned = await run(planFlow, bundle);
    expect(planned.result.objects.filter(({ action }) => action !== 'same')).toHaveLength(2);
    expect(planned.result.checks.filter(({ outcome }) => outcome === 'warn')).toMatchObject([{ id: 'nodes' }]);
    expect((await run(installFlow, bundle)).result.changed).toBe(3);
    expect((await run(planFlow, bundle)).result.unchanged).toBe(true);
    const again = await run(installFlow, bundle);
    expect([again.result.changed, again.summaries['record']]).toEqual([0, 'no change']);
  });

  test('of a release with images only says that it has no apps; what the version before had is shown as left over', async () => {
    const bundle = await bundleOf('suite', []);
    expect((await run(planFlow, bundle)).result.leftOver).toEqual([
      'CronJob default/nightly',
      'CronJob default/weekly',
      'Namespace default',
    ]);
    expect((await run(installFlow, bundle)).summaries['apps']).toBe('none in this release');
  });
});
