import { expect, it } from 'vitest';
import { DeliverError } from '../../../src/core/errors.ts';
import { SILENT } from '../../../src/core/report.ts';
import type { SitePorts } from '../../../src/flows/site-ports.ts';
import { statusFlow } from '../../../src/flows/status.ts';
import { httpListener } from '../../../src/serve/http-listener.ts';
import { SiteSchema } from '../../../src/manifest/site-schema.ts';
import { localHosts } from '../../support/local-host.ts';
import { someSecrets } from '../../support/apps.ts';

it('shows hosts and registry also when the cluster can’t be asked', async () => {
  const site = SiteSchema.parse({
    apiVersion: 'deliver/v1',
    kind: 'Site',
    metadata: { name: 'plant-7' },
    hosts: [{ name: 'w1', address: '127.0.0.1' }],
    registry: { host: 'harbor.plant7' },
  });
  const down = (code: 'E_REGISTRY' | 'E_CLUSTER') => () => Promise.reject(new DeliverError(code, { what: `${code} is down.` }));
  const ports: SitePorts = {
    loaded: { path: 'site.yaml', folder: '/', text: '', positionOf: () => '', site },
    secrets: someSecrets(),
    hosts: localHosts(),
    http: httpListener,
    trusted: { keys: [], threshold: 1 },
    stateFolder: '/nowhere',
    openBundle: () => Promise.reject(new Error('status opens no bundle')),
    registry: down('E_REGISTRY'),
    cluster: down('E_CLUSTER'),
    close: () => Promise.resolve(),
  };
  const flow = statusFlow(ports);
  for (const step of flow.steps) await step.run(SILENT, new AbortController().signal);
  expect(flow.result()).toMatchObject({
    hosts: [{ name: 'w1', reachable: true }],
    registry: { host: 'harbor.plant7', healthy: false, message: 'E_REGISTRY is down.' },
    clusterProblem: 'E_CLUSTER is down.',
    apps: [],
    down: ['registry harbor.plant7', 'cluster'],
  });
});
