import { describe, expect, it } from 'vitest';
import { SILENT, type Step, type StepLanes } from '../../../../src/core/report.ts';
import { runSteps } from '../../../../src/core/run-steps.ts';
import { installFlow } from '../../../../src/flows/install.ts';
import type { SitePorts } from '../../../../src/flows/site-ports.ts';
import { SiteSchema } from '../../../../src/manifest/site-schema.ts';
import { barePorts } from '../../../support/bare-plan.ts';
import { scriptedHosts } from '../../../support/scripted-hosts.ts';

const HOSTS = ['cp1', 'w1', 'etcd1', 'reg1'].map((name, index) => ({ name, address: `10.89.3.${String(11 + index)}` }));
const HARBOR = { host: 'harbor.plant7', username: 'admin', password: '${secret.registry}' };
const INSTALLED = { ...HARBOR, install: { kind: 'harbor' } };
const ROLES = { 'control-plane': ['cp1'], worker: ['w1'] };

function flowOf(more: object) {
  const head = { apiVersion: 'deliver/v1', kind: 'Site', metadata: { name: 'plant-7' }, hosts: HOSTS };
  const closed: string[] = [];
  const ports: SitePorts = {
    ...barePorts(SiteSchema.parse({ ...head, ...more }), scriptedHosts(), '/nonexistent'),
    close: async () => {
      closed.push('close');
    },
  };
  return { flow: installFlow({ bundlePath: 'a.tar', allowUnsigned: false }, ports), closed };
}

/** Its steps between preflight and add-ons: lanes as `hosts>runtime|push`. */
function orderOf(more: object): string[] {
  const text = (entry: Step | StepLanes): string =>
    'lanes' in entry ? entry.lanes.map((lane) => lane.map(({ id }) => id).join('>')).join('|') : entry.id;
  const all = flowOf(more).flow.steps.map(text);
  return all.slice(2, all.indexOf('addons'));
}

describe('an install', () => {
  it.each([
    ['that makes its registry', { ...ROLES, registry: ['reg1'] }, INSTALLED, 'hosts>runtime|registry>push'],
    ['whose registry is there', ROLES, { host: 'harbor.plant7' }, 'hosts>runtime|push'],
  ])('on bare hosts %s prepares nodes beside the registry; mirrors come after both', (_, roles, registry, lanes) => {
    expect(orderOf({ roles, registry })).toEqual([lanes, 'mirrors', 'kubernetes']);
  });

  it.each([
    ['a control plane', { ...ROLES, registry: ['cp1'] }],
    ['an etcd host', { ...ROLES, etcd: ['etcd1'], registry: ['etcd1'] }],
  ])('takes one after the other when the registry is made on %s', (_, roles) => {
    expect(orderOf({ roles, registry: INSTALLED })).toEqual(['hosts', 'registry', 'push', 'runtime', 'mirrors', 'kubernetes']);
  });

  it('knows a node by its address, whatever the registry’s host is called', () => {
    const hosts = [...HOSTS, { name: 'reg2', address: '10.89.3.12' }];
    expect(orderOf({ hosts, roles: { ...ROLES, registry: ['reg2'] }, registry: INSTALLED })).toContain('registry');
  });

  it('has one lane without a registry, and leaves a site that has its cluster as it was', () => {
    expect(orderOf({ roles: ROLES })).toEqual(['hosts', 'runtime', 'mirrors', 'images', 'kubernetes']);
    const there = { roles: { registry: ['reg1'] }, cluster: { from: 'cp1' } };
    expect(orderOf({ ...there, registry: INSTALLED })).toEqual(['registry', 'mirrors', 'push']);
  });
});

it('ends its connections once, when no lane runs any more', async () => {
  const { flow, closed } = flowOf({ roles: { ...ROLES, registry: ['reg1'] }, registry: INSTALLED });
  const lanes = flow.steps.filter((entry) => 'lanes' in entry);
  const running = new Set<string>();
  const { signal } = new AbortController();
  const run = async (step: Step): Promise<void> => {
    running.add(step.id);
    // Without the steps before them each of these fails.
    await step.run(SILENT, signal).finally(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      expect(closed).toEqual([]);
    });
  };
  await expect(runSteps({ ...flow, steps: lanes }, run, signal)).rejects.toThrowWithCode('E_BUG');
  expect([...running]).toEqual(['hosts', 'registry']);
  expect(closed).toEqual(['close']);
});
