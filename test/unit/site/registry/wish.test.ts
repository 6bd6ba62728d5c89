import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { digestOf } from '../../../../src/core/digest.ts';
import { Secret } from '../../../../src/core/secret.ts';
import type { Site } from '../../../../src/manifest/site-schema.ts';
import { accountsFile } from '../../../../src/site/registry/accounts.ts';
import type { KeptRegistry } from '../../../../src/site/registry/kept.ts';
import { registrySettings } from '../../../../src/site/registry/settings.ts';
import { registryType, registryWay } from '../../../../src/site/registry/way.ts';
import { distributionWish, registryCertificates } from '../../../../src/site/registry/wish.ts';
import type { HostWish } from '../../../../src/site/host/wish.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const blob = { digest: digestOf('registry'), size: 8 };
const PROGRAM = { name: 'registry', version: 'v3.0.0', blob, blobs: new Map([['linux/amd64', blob]]) };
const REGISTRY: NonNullable<Site['registry']> = {
  host: 'hub.site.local:8443',
  username: 'admin',
  password: '${secret.registry}',
  install: { kind: 'distribution' },
};
const site = (registry: Partial<NonNullable<Site['registry']>> = {}, more: Partial<Site> = {}): Site => ({
  apiVersion: 'deliver/v1',
  kind: 'Site',
  metadata: { name: 'plant-7' },
  hosts: [{ name: 'reg1', address: '10.77.0.10', internalAddress: '10.1.0.10' }],
  roles: { registry: ['reg1'] },
  registry: { ...REGISTRY, ...registry },
  ...more,
});
const secret = (variable: string): Secret => new Secret(`value of ${variable}`);
const settings = (one: Site): NonNullable<ReturnType<typeof registrySettings>> => {
  const found = registrySettings(one, secret, {});
  if (found === undefined) throw new Error('no registry to install');
  return found;
};
const contentOf = (wish: HostWish, path: string): string => {
  const content = wish.files.find((file) => file.path === path)?.content;
  return typeof content === 'string' ? content : '';
};

describe('a registry to install', () => {
  it('has its name, every address of its host and its port in one place', () => {
    expect(settings(site())).toMatchObject({
      on: 'reg1',
      hostname: 'hub.site.local',
      port: 8443,
      names: ['hub.site.local', '10.77.0.10', '10.1.0.10'],
      dataVolume: '/var/lib/registry',
    });
    expect(registrySettings(site({}, { registry: { host: 'hub' } }), secret, {})).toBeUndefined();
  });

  it('is refused with what to write when the site file can’t be meant so', () => {
    const trying = (one: Site) => () => settings(one);
    expect(trying(site({}, { roles: {} }))).toThrowWithCode('E_SCHEMA', 'roles: { registry');
    expect(trying(site({}, { roles: { registry: ['reg1', 'reg2'] } }))).toThrowWithCode('E_SCHEMA', '2 hosts');
    expect(trying(site({ install: { kind: 'distribution', httpsPort: 443 } }))).toThrowWithCode('E_SCHEMA', 'port 8443');
    expect(trying(site({ install: { kind: 'harbor' }, username: 'deliver' }))).toThrowWithCode('E_SCHEMA', 'admin');
    expect(trying(site({ plainHttp: true }))).toThrowWithCode('E_SCHEMA', 'TLS');
    const { username: _none, ...anonymous } = REGISTRY;
    expect(trying({ ...site(), registry: anonymous })).toThrowWithCode('E_SCHEMA', 'registry.username');
  });

  it('has an account for the nodes that follows from the password, never the other way, and is the same in every run', () => {
    const nodes = settings(site()).pull;
    expect(nodes?.username).toBe('deliver-nodes');
    expect(nodes?.password.reveal()).toMatch(/^[\w-]{32}$/);
    expect(settings(site()).pull?.password.reveal()).toBe(nodes?.password.reveal());
    expect(settings(site({ host: 'other.site.local' })).pull?.password.reveal()).not.toBe(nodes?.password.reveal());
    expect(settings(site({ pull: { username: 'reader', password: '${secret.reader}' } })).pull?.username).toBe('reader');
    expect(settings(site({ install: { kind: 'harbor' } })).pull).toBeUndefined();
  });

  it('is reached by its host’s address, or through its SSH where a bastion is before it', () => {
    expect(registryWay(site())).toEqual({ address: '10.1.0.10' });
    const behind = site({}, { hosts: [{ name: 'reg1', address: '10.77.0.10', via: 'bastion' }] });
    expect(registryWay(behind)).toEqual({ address: '10.77.0.10', via: 'reg1' });
    expect(registryWay(site({ address: '192.0.2.1' }))).toEqual({ address: '192.0.2.1' });
    expect([
      registryType(site()),
      registryType(site({ install: { kind: 'harbor' } })),
      registryType(site({}, { registry: { host: 'x' } })),
    ]).toEqual(['plain', 'harbor', 'auto']);
  });
});

describe('the distribution registry of a host', () => {
  const wishFor = async (kept: KeptRegistry): Promise<HostWish> =>
    distributionWish(settings(site()), PROGRAM, await registryCertificates(settings(site()), kept, NOW), kept);

  it('keeps keys, accounts and configuration for root alone, and serves TLS with a login', async () => {
    const wish = await wishFor({});
    const secretFiles = wish.files.filter(({ mode }) => mode === 0o600).map(({ path }) => path.split('/').at(-1));
    expect(secretFiles).toEqual(['ca.key', 'server.key', 'htpasswd', 'config.yml']);
    expect(parse(contentOf(wish, '/etc/deliver/registry/config.yml'))).toMatchObject({
      storage: { delete: { enabled: false } },
      http: { addr: ':8443', tls: { certificate: '/etc/deliver/registry/server.crt' } },
      auth: { htpasswd: { path: '/etc/deliver/registry/htpasswd' } },
    });
    expect(contentOf(wish, '/etc/deliver/registry/htpasswd')).not.toContain('value of');
  });

  it('wishes the very same the second time', async () => {
    const first = await wishFor({});
    const read = (name: string): string => contentOf(first, `/etc/deliver/registry/${name}`);
    const kept: KeptRegistry = {
      ca: read('ca.crt'),
      caKey: new Secret(read('ca.key')),
      certificate: read('server.crt'),
      key: new Secret(read('server.key')),
      accounts: read('htpasswd'),
      config: read('config.yml'),
    };
    expect(await wishFor(kept)).toEqual(first);
    // A release of apps alone: the program stays as it is, and is started anew with a new certificate.
    const alone = await distributionWish(
      settings(site()),
      undefined,
      await registryCertificates(settings(site()), kept, NOW),
      kept,
    );
    expect(alone).toEqual({ ...first, components: [] });
    expect(alone.units[0]?.restartOn).toContain(PROGRAM.name);
  });
});

describe('the accounts of a plain registry', () => {
  const account = (username: string, password: string): { username: string; password: Secret } => ({
    username,
    password: new Secret(password),
  });

  it('are written anew only for the one whose password changed', async () => {
    const first = (await accountsFile([account('admin', 'one-password'), account('nodes', 'two-password')], undefined)).reveal();
    expect(first).toMatch(/^admin:\$2[ab]\$05\$\S+\nnodes:\$2[ab]\$05\$\S+\n$/);
    const [adminLine, nodesLine] = first.split('\n');
    const next = (await accountsFile([account('admin', 'one-password'), account('nodes', 'other-password')], first)).reveal();
    expect(next.split('\n')[0]).toBe(adminLine);
    expect(next.split('\n')[1]).not.toBe(nodesLine);
    // One that is no longer named may no longer log in.
    expect((await accountsFile([account('admin', 'one-password')], first)).reveal()).toBe(`${adminLine ?? ''}\n`);
  });

  it('are refused where bcrypt or the file would cut them', async () => {
    await expect(accountsFile([account('admin', 'x'.repeat(73))], undefined)).rejects.toThrowWithCode('E_SCHEMA', '72 bytes');
    await expect(accountsFile([account('a:b', 'long-enough')], undefined)).rejects.toThrowWithCode('E_SCHEMA', 'a:b');
  });
});
