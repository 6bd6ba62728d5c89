import { expect, it } from 'vitest';
import { openSiteRegistry } from '../../../src/registry/site-registry.ts';
import { DeliverError } from '../../../src/core/errors.ts';
import { SILENT } from '../../../src/core/report.ts';
import type { SitePorts } from '../../../src/flows/site-ports.ts';
import { statusFlow } from '../../../src/flows/status.ts';
import { httpListener } from '../../../src/serve/http-listener.ts';
import { SiteSchema } from '../../../src/manifest/site-schema.ts';
import { localHosts } from '../../support/local-host.ts';
import { freePort } from '../../support/sshd.ts';
import { someSecrets } from '../../support/apps.ts';

const down = (code: 'E_REGISTRY' | 'E_CLUSTER') => () => Promise.reject(new DeliverError(code, { what: `${code} is down.` }));

/** A site of one host, whose cluster can't be asked. */
function portsOf(host: string, registry: SitePorts['registry']): SitePorts {
  const site = SiteSchema.parse({
    apiVersion: 'deliver/v1',
    kind: 'Site',
    metadata: { name: 'plant-7' },
    hosts: [{ name: 'w1', address: '127.0.0.1' }],
    registry: { host },
  });
  return {
    loaded: { path: 'site.yaml', folder: '/', text: '', positionOf: () => '', site },
    secrets: someSecrets(),
    hosts: localHosts(),
    http: httpListener,
    trusted: { keys: [], threshold: 1 },
    stateFolder: '/nowhere',
    openBundle: () => Promise.reject(new Error('status opens no bundle')),
    registry,
    cluster: down('E_CLUSTER'),
    close: () => Promise.resolve(),
  };
}

it('shows hosts and registry also when the cluster can’t be asked', async () => {
  const flow = statusFlow(portsOf('harbor.plant7', down('E_REGISTRY')));
  for (const step of flow.steps) await step.run(SILENT, new AbortController().signal);
  expect(flow.result()).toMatchObject({
    hosts: [{ name: 'w1', reachable: true }],
    registry: { host: 'harbor.plant7', healthy: false, message: 'E_REGISTRY is down.' },
    clusterProblem: 'E_CLUSTER is down.',
    apps: [],
    down: ['registry harbor.plant7', 'cluster'],
  });
});

it('asks a plain registry, which has no report of its health, whether it answers', async () => {
  const host = `127.0.0.1:${String(await freePort())}`;
  const opened = await openSiteRegistry({ host, retry: { retries: 0, firstDelay: 1 } }, 'plain');
  const flow = statusFlow(portsOf(host, () => Promise.resolve(opened)));
  for (const step of flow.steps) await step.run(SILENT, new AbortController().signal);
  expect(flow.result()).toMatchObject({ registry: { host, healthy: false } });
  await opened.close();
});
