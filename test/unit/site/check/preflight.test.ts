import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DeliverError } from '../../../../src/core/errors.ts';
import { SILENT } from '../../../../src/core/report.ts';
import { SiteSchema } from '../../../../src/manifest/site-schema.ts';
import { buildNeeds } from '../../../../src/site/check/duties.ts';
import { containerdChecks } from '../../../../src/site/check/containerd.ts';
import { nodeChecks } from '../../../../src/site/check/host.ts';
import { parseProbe, type ContainerdFacts, type HostFacts } from '../../../../src/site/check/host-facts.ts';
import type { PreflightNeeds } from '../../../../src/site/check/preflight-needs.ts';
import { failedChecks, preflightHosts } from '../../../../src/site/check/preflight.ts';
import { probeScript } from '../../../../src/site/check/probe-script.ts';
import { localHosts, runHere } from '../../../support/local-host.ts';

const needs: PreflightNeeds = { nodes: ['w1'], platforms: ['linux/amd64', 'linux/arm64'], imageBytes: 1_000_000_000 };
const good: ContainerdFacts = {
  version: '1.7.28',
  running: true,
  configPath: ['/etc/containerd/certs.d'],
  mirrors: false,
  criDisabled: false,
  proxy: false,
};
const facts = (more: Partial<HostFacts> = {}): HostFacts => ({
  root: true,
  platform: 'linux/amd64',
  disk: { total: 50e9, free: 40e9, mount: '/' },
  containerd: good,
  ...more,
});
const outcomes = (checks: readonly { id: string; outcome: string }[]): Record<string, string> =>
  Object.fromEntries(checks.map(({ id, outcome }) => [id, outcome]));

describe('the probe', () => {
  it('finds out about this machine in a real shell', async () => {
    const asked = Date.now();
    const { stdout, stderr, code } = await runHere(
      probeScript({ node: true, registry: { host: 'localhost:1', plainHttp: true } }),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const found = parseProbe(stdout, asked, Date.now());
    expect(found.platform).toMatch(/^linux\/[a-z0-9]+/);
    expect(found.disk?.free).toBeGreaterThan(0);
    expect(found.disk?.mount).toMatch(/^\//);
    expect(Math.abs(found.skew?.ahead ?? Infinity)).toBeLessThan((found.skew?.error ?? 0) + 1);
    if (found.registryAddresses !== undefined) expect(found.registryAddresses).toContain('127.0.0.1');
    if (found.registryAnswer !== undefined) expect(found.registryAnswer).toEqual({ status: 0, curlCode: 7 });
  });

  it('reads config_path and the old tables out of a containerd dump, and nothing else', async () => {
    const dump = (text: string): Promise<{ stdout: string }> =>
      runHere(
        `containerd() { if [ "$1" = config ]; then cat <<'END'\n${text}\nEND\nelse echo 'containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1'; fi; }\n` +
          `systemctl() { case $1 in is-active) echo active;; *) echo 'Environment=HTTPS_PROXY=http://u:geheim@p';; esac; }\n` +
          probeScript({ node: true }).replace('if has timeout; then timeout 10 "$@"; else "$@"; fi', '"$@"'),
      );
    const v2 = await dump(
      'disabled_plugins = []\n[plugins]\n  [plugins."io.containerd.grpc.v1.cri"]\n    [plugins."io.containerd.grpc.v1.cri".registry]\n      config_path = "/etc/containerd/certs.d"\n' +
        '      [plugins."io.containerd.grpc.v1.cri".registry.configs."h".auth]\n        password = "geheim"\n      [plugins."io.containerd.grpc.v1.cri".registry.mirrors]\n  [plugins."x"]\n    config_path = "/other"',
    );
    expect(v2.stdout).not.toContain('geheim');
    expect(parseProbe(v2.stdout, 0, 0).containerd).toEqual({ ...good, version: '1.6.20', proxy: true });
    const v3 = await dump(
      `disabled_plugins = ['io.containerd.grpc.v1.cri']\n  [plugins.'io.containerd.cri.v1.images'.registry]\n    config_path = '/etc/containerd/certs.d:/etc/docker/certs.d'\n    [plugins.'io.containerd.cri.v1.images'.registry.mirrors.'docker.io']`,
    );
    expect(parseProbe(v3.stdout, 0, 0).containerd).toMatchObject({
      configPath: ['/etc/containerd/certs.d', '/etc/docker/certs.d'],
      mirrors: true,
      criDisabled: true,
    });
  });
});

describe('checks of a node', () => {
  it('pass on a good one', () => {
    expect(new Set(nodeChecks('w1', facts(), needs).map(({ outcome }) => outcome))).toEqual(new Set(['pass']));
  });

  it('count twice the images against the free disk, and say so', () => {
    const disk = (free: number): string | undefined =>
      outcomes(nodeChecks('w1', facts({ disk: { total: 10e9, free, mount: '/data' } }), needs)).disk;
    expect([disk(1.9e9), disk(3e9), disk(4e9)]).toEqual(['fail', 'warn', 'pass']);
    const [, room] = nodeChecks('w1', facts({ disk: { total: 10e9, free: 1e9, mount: '/data' } }), needs);
    expect(room?.found).toBe('1 GB free on /data for containerd; 2 GB needed (twice the 1 GB of images)');
  });

  it('ask for no platform where there is no release', () => {
    expect(outcomes(nodeChecks('w1', facts({ platform: 'linux/s390x' }), { ...needs, platforms: [] })).platform).toBe('pass');
  });

  it('fail for another architecture', () => {
    expect(outcomes(nodeChecks('w1', facts({ platform: 'linux/s390x' }), needs)).platform).toBe('fail');
  });

  it('tell a name that is missing, a name that is elsewhere, and a registry that is down', () => {
    const registry = { host: 'harbor.site:8443', address: '10.0.0.9' };
    const at = (more: Partial<HostFacts>): Record<string, string> =>
      outcomes(nodeChecks('w1', facts(more), { ...needs, registry }));
    expect(at({ registryAddresses: [] })).toMatchObject({ 'registry-name': 'fail' });
    expect(at({ registryAddresses: ['10.0.0.8'], registryAnswer: { status: 401, curlCode: 0 } })).toMatchObject({
      'registry-name': 'warn',
      'registry-reach': 'pass',
    });
    expect(at({ registryAddresses: ['10.0.0.9'], registryAnswer: { status: 0, curlCode: 28 } })).toMatchObject({
      'registry-name': 'pass',
      'registry-reach': 'fail',
    });
    expect(at({ registryAddresses: ['10.0.0.9'] })).toMatchObject({ 'registry-reach': 'warn' });
  });

  it('show the lines to write where containerd would ignore the mirrors', () => {
    const config = (more: Partial<ContainerdFacts>): ReturnType<typeof containerdChecks>[number] | undefined =>
      containerdChecks('w1', facts({ containerd: { ...good, ...more } }))[1];
    expect(config({ configPath: [] })).toMatchObject({
      outcome: 'fail',
      fix: expect.stringContaining('grpc.v1.cri".registry]') as string,
    });
    expect(config({ configPath: [], version: '2.1.4' })?.fix).toContain("cri.v1.images'.registry]");
    expect(config({ configPath: [], version: '2.2.0' })?.outcome).toBe('pass');
    expect(config({ configPath: ['/etc/docker/certs.d'] })?.outcome).toBe('fail');
    expect(config({ mirrors: true, configPath: [] })?.fix).toContain('remove every registry.mirrors');
    expect(config({ criDisabled: true })?.outcome).toBe('fail');
  });

  it('say when there is no containerd, or another runtime', () => {
    const { containerd: _, ...none } = facts();
    expect(containerdChecks('w1', none)).toMatchObject([{ outcome: 'fail', found: 'containerd is not installed' }]);
    expect(containerdChecks('w1', { ...none, otherRuntime: 'crio' })).toMatchObject([
      { outcome: 'fail', fix: 'Write runtime: { kind: crio } in the site file.' },
    ]);
    expect(containerdChecks('w1', { ...none, otherRuntime: 'crio' }, 'crio')).toMatchObject([
      { outcome: 'pass', found: 'CRI-O' },
    ]);
    expect(containerdChecks('w1', facts({ containerd: { ...good, running: false } }))).toMatchObject([{ outcome: 'fail' }]);
  });
});

describe('preflight of all hosts', () => {
  it('names every program that is missing, also those that it would have asked with', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'deliver-programs-'));
    const there = ['cat', 'date', 'dirname', 'grep', 'head', 'id', 'ls', 'sed', 'sort', 'tr', 'uname', 'gzip', 'stat'];
    for (const name of there) symlinkSync(`/usr/bin/${name}`, join(folder, name));
    const local = localHosts();
    const connector = {
      ...local,
      connect: async (name: string) => ({
        ...(await local.connect(name)),
        run: (command: string) => runHere(command.replace(/PATH=\$PATH:\S+;/, ''), {}, { PATH: folder }),
      }),
    };
    const site = SiteSchema.parse({
      apiVersion: 'deliver/v1',
      kind: 'Site',
      metadata: { name: 's' },
      hosts: [{ name: 'cp1', address: '10.77.0.11' }],
      roles: { 'control-plane': ['cp1'] },
    });
    const build = buildNeeds(site, undefined, undefined, new Set());
    const all = { ...needs, nodes: ['cp1'], build };
    const never = new AbortController().signal;
    const failed = failedChecks(await preflightHosts(connector, site.hosts ?? [], all, SILENT, never));
    rmSync(folder, { recursive: true });
    const missing = ['awk', 'df', 'tar', 'sha256sum', 'base64', 'find', 'ip', 'iptables', 'mount', 'nsenter', 'flock'].join(', ');
    expect(failed).toEqual([
      {
        id: 'programs',
        title: 'programs',
        host: 'cp1',
        outcome: 'fail',
        found: `missing: ${missing}`,
        fix: `Install ${missing} on cp1 from its distribution’s media (packages gawk or mawk, coreutils, tar, findutils, iproute2 or iproute, iptables, util-linux).`,
      },
    ]);
  });

  const hosts = ['bastion', 'w1', 'dead'].map((name) => ({ name, address: name }));

  it('goes on when one can’t be reached, and keeps why', async () => {
    const local = localHosts();
    const connector = {
      ...local,
      connect: (name: string) =>
        name === 'dead'
          ? Promise.reject(new DeliverError('E_SSH', { what: 'Host dead can’t be reached.', fix: 'wake it' }))
          : local.connect(name),
    };
    const checks = await preflightHosts(connector, hosts, needs, SILENT, new AbortController().signal);
    expect(failedChecks(checks)).toContainEqual({
      id: 'ssh',
      title: 'SSH',
      host: 'dead',
      outcome: 'fail',
      found: 'Host dead can’t be reached.',
      fix: 'wake it',
      code: 'E_SSH',
    });
    expect(checks.filter(({ id, host }) => id === 'disk' && host === 'w1')).toHaveLength(1);
    expect(checks.filter(({ id }) => id === 'clock').map(({ host }) => host)).toEqual(['w1', 'bastion']);
    expect(checks.filter(({ host }) => host === 'bastion').map(({ id }) => id)).toEqual(['ssh', 'clock']);
    expect(local.commands).toHaveLength(2);
  });

  it('still tells the rest where sudo is refused', async () => {
    const local = localHosts();
    const connector = {
      ...local,
      connect: async (name: string) => {
        const connection = await local.connect(name);
        const run: typeof connection.run = (command, options) =>
          options?.sudo === true
            ? Promise.reject(new DeliverError('E_SUDO', { what: 'sudo refuses' }))
            : connection.run(command, options);
        return { ...connection, run };
      },
    };
    const checks = await preflightHosts(connector, [{ name: 'w1', address: 'w1' }], needs, SILENT, new AbortController().signal);
    expect(checks.find(({ id }) => id === 'sudo')).toMatchObject({ outcome: 'fail', code: 'E_SUDO' });
    expect(checks.some(({ id }) => id === 'platform')).toBe(true);
  });

  it('takes the words of a shell that is none for no answer, except from a host that is only jumped through', async () => {
    const local = localHosts();
    const connector = {
      ...local,
      connect: async (name: string) => {
        const connection = await local.connect(name);
        return { ...connection, run: () => Promise.resolve({ code: 1, stdout: 'This account is not available.\n', stderr: '' }) };
      },
    };
    const both = hosts.filter(({ name }) => name !== 'dead');
    const checks = await preflightHosts(connector, both, needs, SILENT, new AbortController().signal);
    expect(failedChecks(checks)).toMatchObject([
      { host: 'w1', code: 'E_HOST', found: expect.stringContaining('not available') as string },
    ]);
  });
});
