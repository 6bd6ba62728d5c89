import { describe, expect, it } from 'vitest';
import type { Site } from '../../../../src/manifest/site-schema.ts';
import { nodesOf } from '../../../../src/site/nodes/nodes.ts';

const site = (more: Partial<Site>): Site => ({ apiVersion: 'deliver/v1', kind: 'Site', metadata: { name: 's' }, ...more });
const hosts: Site['hosts'] = [
  { name: 'bastion', address: 'b' },
  { name: 'cp1', address: '1', via: 'bastion' },
  { name: 'w1', address: '2', via: 'bastion' },
  { name: 'reg1', address: '3' },
];
const names = (of: Site): string[] => nodesOf(of).map((host) => host.name);

describe('nodesOf', () => {
  it('takes control plane and workers, in the order of the hosts', () => {
    expect(names(site({ hosts, roles: { worker: ['w1'], 'control-plane': ['cp1'], registry: ['reg1'] } }))).toEqual([
      'cp1',
      'w1',
    ]);
    expect(names(site({ hosts, roles: { 'control-plane': ['cp1'] } }))).toEqual(['cp1']);
  });

  it('without these roles takes all but bastions and hosts with another role', () => {
    expect(names(site({ hosts }))).toEqual(['cp1', 'w1', 'reg1']);
    expect(names(site({ hosts, roles: { registry: ['reg1'] } }))).toEqual(['cp1', 'w1']);
  });

  it('leaves out a host that is to go; its bastion is still none', () => {
    expect(names(site({ hosts, drain: ['cp1', 'w1'] }))).toEqual(['reg1']);
  });

  it('is empty for a site without hosts', () => {
    expect(names(site({}))).toEqual([]);
  });
});
