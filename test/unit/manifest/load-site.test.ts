import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadSite, type LoadedSite } from '../../../src/manifest/load-site.ts';
import { trustOf } from '../../../src/manifest/site-schema.ts';
import { folderWith } from '../../support/files.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK8r2+Gqm27B4q3h1pT0H8cagx0CaOmJFWIRPYpirdG/ me';
const host = (name: string, fields: object = {}): object => ({ name, address: '10.0.0.1', ...fields });

async function site(fields: object): Promise<LoadedSite> {
  const folder = await folderWith({
    'site.yaml': stringify({ apiVersion: 'deliver/v1', kind: 'Site', metadata: { name: 'plant' }, ...fields }),
  });
  return loadSite(join(folder, 'site.yaml'));
}

describe('a site file', () => {
  it('is accepted as the sample has it', async () => {
    const loaded = await loadSite('manifests/plant-7.site.yaml');
    expect(loaded.site.hosts).toHaveLength(5);
  });

  it.each([
    ['a jump over an unknown host', { hosts: [host('a', { via: 'bastoin' }), host('bastion')] }, 'Did you mean “bastion”?'],
    [
      'a role of an unknown host',
      { hosts: [host('w1')], roles: { worker: ['w2'] } },
      'roles.worker[0]: there is no host “w2”. Did you mean “w1”?',
    ],
    ['a kubeconfig from an unknown host', { cluster: { from: 'cp1' } }, 'cluster.from: there is no host'],
    ['a registry via an unknown host', { registry: { host: 'h', via: 'x' } }, 'registry.via: there is no host'],
    ['two hosts of one name', { hosts: [host('a'), host('a')] }, 'is here twice'],
    ['a literal password', { hosts: [host('a', { password: 'hunter22' })] }, 'passwords do not belong in this file'],
    ['a trusted key that is cut off', { trust: [KEY.slice(0, 60)] }, 'trust[0]: is cut off'],
    ['a threshold of none', { trust: { keys: [KEY], threshold: 0 } }, 'trust'],
    [
      'a cut-off key among keys',
      { trust: { keys: [`release@corp valid-before="20300101Z" ${KEY.slice(0, 60)}`] } },
      'trust.keys[0]: is cut off',
    ],
    ['a trusted private key', { trust: ['-----BEGIN OPENSSH PRIVATE KEY-----'] }, 'is a private key'],
    [
      'a pinned host key that is none',
      { hosts: [host('a', { hostKey: 'SHA256:abc' })] },
      'hosts[0].hostKey: must be a public key',
    ],
    ['an address that is none', { ingress: { addresses: ['10.0.0'] } }, 'must be an IP address'],
    ['an external on loopback', { externals: { redis: [{ ip: '127.0.0.1' }] } }, 'loopback'],
    ['a registry URL', { registry: { host: 'https://harbor' } }, 'without https://'],
    [
      'a project that is a path',
      { registry: { host: 'h', project: 'a/b' } },
      'registry.project: must be the name of one project',
    ],
    ['two kubeconfigs', { hosts: [host('a')], cluster: { from: 'a', kubeconfig: './k' } }, 'either kubeconfig or from'],
    ['half an account', { registry: { host: 'h', username: 'me' } }, 'one is missing'],
    ['an unknown role', { roles: { workers: [] } }, 'roles'],
  ])('is refused for %s', async (_, fields, text) => {
    await expect(site(fields)).rejects.toThrowWithCode('E_SCHEMA', text);
  });

  it('is refused for bastions that go round in a circle', async () => {
    const hosts = [host('a', { via: 'b' }), host('b', { via: 'c' }), host('c', { via: 'a' })];
    await expect(site({ hosts })).rejects.toThrowWithCode('E_GRAPH', 'a → b → c → a');
  });

  it('never repeats a value that may be a password', async () => {
    const error: unknown = await site({ hosts: [host('a', { password: 'hunter22' })], registry: 'hunter22' }).catch(
      (thrown: unknown) => thrown,
    );
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter22');
  });

  it('takes a key as ssh-keygen writes it', async () => {
    await expect(site({ trust: [KEY] })).resolves.toBeDefined();
  });

  it('takes n of m keys, allowed_signers lines, PEM keys and files', async () => {
    const pem = '-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n';
    const keys = [KEY, `release@corp valid-before="20300101Z" ${KEY}`, pem, './allowed_signers'];
    const { site: loaded } = await site({ trust: { keys, threshold: 2 } });
    expect(trustOf(loaded)).toEqual({ keys, threshold: 2 });
    expect(trustOf({ trust: [KEY] })).toEqual({ keys: [KEY], threshold: 1 });
    expect(trustOf({})).toEqual({ keys: [], threshold: 1 });
  });
});
