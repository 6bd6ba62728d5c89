import { expect, it } from 'vitest';
import { installFlow } from '../../../src/flows/install.ts';
import type { SitePorts } from '../../../src/flows/site-ports.ts';
import { statusFlow } from '../../../src/flows/status.ts';
import { allSteps, SILENT } from '../../../src/core/report.ts';
import { DeliverError } from '../../../src/core/errors.ts';
import { SiteSchema } from '../../../src/manifest/site-schema.ts';
import { httpListener } from '../../../src/serve/http-listener.ts';
import { someSecrets } from '../../support/apps.ts';
import { localHosts } from '../../support/local-host.ts';

const portsOf = (more: object): SitePorts => {
  const head = { apiVersion: 'deliver/v1', kind: 'Site', metadata: { name: 'edge' } };
  return {
    loaded: { path: 'site.yaml', folder: '/', text: '', positionOf: () => '', site: SiteSchema.parse({ ...head, ...more }) },
    secrets: someSecrets(),
    hosts: localHosts(),
    http: httpListener,
    trusted: { keys: [], threshold: 1 },
    stateFolder: '/nowhere',
    openBundle: () => Promise.reject(new Error('no bundle')),
    registry: () => Promise.reject(new Error('nobody may ask for a registry')),
    cluster: () => Promise.reject(new DeliverError('E_CLUSTER', { what: 'No cluster.' })),
    close: () => Promise.resolve(),
  };
};
const hosts = [{ name: 'cp1', address: '127.0.0.1' }];
const stepsOf = (more: object): string[] =>
  allSteps(installFlow({ bundlePath: 'a.tar', allowUnsigned: false }, portsOf(more)).steps).map(({ id }) => id);

it('brings images to the nodes between runtime and Kubernetes, and pushes nowhere, when deliver makes the cluster', () => {
  const steps = stepsOf({ hosts, roles: { 'control-plane': ['cp1'], worker: ['cp1'] } });
  expect(steps.slice(2, 7)).toEqual(['hosts', 'runtime', 'mirrors', 'images', 'kubernetes']);
  expect(steps).not.toContain('push');
  expect(steps.slice(-2)).toEqual(['old-images', 'record']);
});

it('brings them after the mirrors where the cluster is there, and nothing of this happens where there is a registry', () => {
  expect(stepsOf({ hosts, cluster: { from: 'cp1' } }).slice(2, 4)).toEqual(['mirrors', 'images']);
  const usual = stepsOf({ hosts, registry: { host: 'harbor.plant7' } });
  expect(usual).toContain('push');
  expect(usual.filter((id) => id.includes('images'))).toEqual([]);
});

it('refuses a site that has neither a registry nor nodes', async () => {
  const { site } = portsOf({}).loaded;
  expect(site.registry).toBeUndefined();
  const [trust] = allSteps(installFlow({ bundlePath: 'a.tar', allowUnsigned: false }, portsOf({})).steps);
  await expect(trust?.run(SILENT, new AbortController().signal)).rejects.toThrowWithCode(
    'E_PREFLIGHT',
    'neither a registry nor hosts',
  );
});

it('has no registry that could be down in its status', async () => {
  const flow = statusFlow(portsOf({ hosts }));
  for (const step of flow.steps) await step.run(SILENT, new AbortController().signal);
  expect(flow.result().registry).toMatchObject({ host: '', healthy: true });
  expect(flow.result().down).toEqual(['cluster']);
});
