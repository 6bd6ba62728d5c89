import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SiteSchema, type Site } from '../../../../src/manifest/site-schema.ts';
import { buildChecks } from '../../../../src/site/check/build.ts';
import { certificateEnds } from '../../../../src/site/check/certificates.ts';
import { buildNeeds, buildsSomething } from '../../../../src/site/check/duties.ts';
import { parseBuildFacts, type BuildFacts } from '../../../../src/site/check/facts.ts';
import { identityChecks } from '../../../../src/site/check/identity.ts';
import type { BuildNeeds, HostDuty } from '../../../../src/site/check/needs.ts';
import { cidrChecks } from '../../../../src/site/check/network.ts';
import type { Check } from '../../../../src/site/check/check.ts';

const ANSWER = `b.os=debian|12|Debian GNU/Linux 12 (bookworm)
b.kernel=6.1.0-18-amd64
b.cpus=4
b.memory=8000000
b.hostname=cp1
b.machineId=aaaa
b.productUuid=uuid-1
b.uptime=90000
b.systemd=yes
b.cgroup=2
b.module=overlay loaded
b.module=br_netfilter loadable
b.sysctl=net.ipv4.ip_forward 0 yes
b.oom=free
b.inotify=8192
b.files=524288
b.address=eth0 10.77.0.11/24
b.route=10.77.0.0/24 eth0
b.disk=/|60000000|50000000|/|rw,relatime|3000000
b.disk=/usr/local|60000000|50000000|/|rw,relatime|3000000
b.disk=/var/lib/containerd|60000000|50000000|/|rw,relatime|3000000
b.disk=/var/lib/kubelet|60000000|50000000|/|rw,relatime|3000000
b.disk=/var/lib/etcd|60000000|50000000|/|rw,relatime|3000000
b.process=systemd
b.end=yes
`;

function facts(more: Partial<BuildFacts> = {}): BuildFacts {
  const found = parseBuildFacts('cp1', ANSWER);
  if (found === undefined) throw new Error('no facts');
  return { ...found, ...more };
}

function site(more: object = {}): Site {
  return SiteSchema.parse({
    apiVersion: 'deliver/v1',
    kind: 'Site',
    metadata: { name: 's' },
    hosts: [
      { name: 'cp1', address: '10.77.0.11' },
      { name: 'w1', address: '10.77.0.12' },
      { name: 'reg1', address: '10.77.0.10' },
    ],
    roles: { 'control-plane': ['cp1'], worker: ['w1'], registry: ['reg1'] },
    registry: { host: 'registry.site', install: { kind: 'harbor' } },
    controlPlaneEndpoint: { domain: 'lb.site', port: 8443, loadBalancer: 'haproxy' },
    ...more,
  });
}

const NEEDS: BuildNeeds = {
  ...buildNeeds(site(), undefined, undefined, new Set()),
  kubernetes: 'v1.34.4',
  platforms: ['linux/amd64'],
};

function dutyOf(host: string, more: Partial<HostDuty> = {}): HostDuty {
  const duty = NEEDS.duties.get(host);
  if (duty === undefined) throw new Error(`${host} has no duty`);
  return { ...duty, ...more };
}

/** Only what does not pass, by id. */
function wrong(found: BuildFacts, duty = dutyOf('cp1'), needs = NEEDS, platform = 'linux/amd64'): Record<string, Check> {
  const bad = buildChecks('cp1', platform, found, duty, needs).filter(({ outcome }) => outcome !== 'pass');
  return Object.fromEntries(bad.map((check) => [check.id, check]));
}

describe('a host that deliver builds on', () => {
  it('passes when it is a fresh one', () => {
    expect(wrong(facts())).toEqual({});
  });

  it.each<[string, Partial<BuildFacts>, string, 'warn' | 'fail', RegExp]>([
    ['one CPU', { cpus: 1 }, 'cpu', 'fail', /1 CPU; a control plane needs 2/],
    ['1 GB of memory', { memory: 1e9 }, 'memory', 'fail', /1 GB; a control plane needs 1\.8 GB/],
    [
      'an old system',
      { os: { id: 'ubuntu', version: '18.04', title: 'Ubuntu 18.04' } },
      'os',
      'warn',
      /older than ubuntu 20\.04/,
    ],
    [
      'an unknown system',
      { os: { id: 'nixos', version: '', title: 'NixOS' } },
      'os',
      'warn',
      /not one that deliver was tried on/,
    ],
    ['an old kernel', { kernel: '3.10.0-1160.el7' }, 'kernel', 'warn', /4\.19/],
    ['no systemd', { systemd: false }, 'systemd', 'fail', /systemd units/],
    ['no iptables', { lacks: ['iptables', 'socat'] }, 'programs', 'fail', /missing: iptables$/],
    ['a module that is not there', { module: [{ name: 'overlay', state: 'missing' }] }, 'modules', 'fail', /overlay: neither/],
    [
      'a setting that can’t be set',
      { sysctl: [{ key: 'net.ipv4.ip_forward', value: '0', settable: 'no' }] },
      'sysctl',
      'fail',
      /ip_forward/,
    ],
    [
      'a port that is held',
      { listen: [{ port: '6443', holder: 'nginx' }] },
      'ports',
      'fail',
      /6443 \(API server\) is held by nginx/,
    ],
    ['another address', { address: [{ device: 'eth0', cidr: '192.168.1.5/24' }] }, 'address', 'fail', /it has 192\.168\.1\.5/],
    [
      'a route into the pods’ network',
      { route: [{ cidr: '10.244.3.0/24', device: 'eth1', via: '-' }] },
      'routes',
      'fail',
      /10\.244\.3\.0\/24 \(eth1\)/,
    ],
    [
      'a route around the services',
      { route: [{ cidr: '10.0.0.0/8', device: 'tun0', via: '-' }] },
      'routes',
      'fail',
      /network of the pods.*services/,
    ],
    [
      'a route of a cluster that was there',
      { route: [{ cidr: '10.244.3.0/24', device: 'eth0', via: '10.77.0.12' }] },
      'routes',
      'warn',
      /left by a cluster/,
    ],
    ['another cluster', { left: ['/etc/kubernetes/admin.conf'] }, 'leftovers', 'fail', /admin\.conf/],
    ['a kubelet that runs', { process: ['kubelet'] }, 'leftovers', 'fail', /kubelet runs/],
    ['k3s', { process: ['k3s-server'] }, 'runtime', 'fail', /k3s runs there/],
    ['docker', { process: ['dockerd'] }, 'runtime', 'warn', /FORWARD/],
    ['firewalld', { firewall: ['firewalld'] }, 'firewall', 'warn', /firewalld/],
    ['SELinux', { selinux: '1' }, 'firewall', 'warn', /enforcing/],
    ['updates that wait for a reboot', { reboot: true }, 'boot', 'warn', /wait for a reboot/],
    ['few files', { files: 1024 }, 'limits', 'warn', /open files is 1024/],
    ['a proxy', { proxy: '/etc/environment' }, 'proxy', 'warn', /kubeadm copies it/],
    [
      'more in swap than memory can take',
      { swap: [{ device: '/dev/sda2', kilobytes: '4000000', used: '3000000' }], available: 1e9 },
      'swap',
      'fail',
      /3\.1 GB of swap are in use, and 1 GB of memory are free/,
    ],
    ['two years without a boot', { uptime: 2 * 365 * 86_400 }, 'boot', 'warn', /730 days ago/],
    ['few inotify instances', { inotify: 64 }, 'limits', 'warn', /max_user_instances is 64 \(128 or more\)/],
  ])('is refused or warned about with %s, with a fix', (_, more, id, outcome, found) => {
    const check = wrong(facts(more))[id];
    expect(check).toMatchObject({ outcome, found: expect.stringMatching(found) as string });
    expect(check?.fix).toBeTruthy();
  });

  it('is not refused for what deliver itself has set up there before', () => {
    const standing = {
      ours: ['kubernetes' as const],
      left: ['/etc/kubernetes/admin.conf'],
      process: ['kubelet', 'kube-apiserver', 'etcd'],
      listen: [
        { port: '6443', holder: 'kube-apiserver' },
        { port: '10257', holder: 'kube-controller' },
        { port: '8443', holder: 'haproxy' },
      ],
      route: [{ cidr: '10.244.1.0/24', device: 'eth0', via: '10.77.0.12' }],
    };
    expect(wrong(facts(standing))).toEqual({});
    expect(wrong(facts({ ...standing, ours: [] }), dutyOf('cp1'), { ...NEEDS, members: new Set(['cp1']) })).toEqual({});
  });

  it('with cgroup v1 may have Kubernetes up to 1.34, with swap any: deliver switches it off', () => {
    expect(wrong(facts({ cgroup: 1 }))).toEqual({});
    expect(wrong(facts({ cgroup: 1 }), dutyOf('cp1'), { ...NEEDS, kubernetes: 'v1.35.0' })['cgroup']?.outcome).toBe('fail');
    expect(wrong(facts({ swap: [{ device: '/dev/sda2', kilobytes: '1000', used: '500' }], available: 1e9 }))).toEqual({});
  });

  it('names every firewall that stands in the way, not the first alone', () => {
    const found = facts({ firewall: ['firewalld', 'ufw'], selinux: '1' });
    const told = buildChecks('cp1', 'linux/amd64', found, dutyOf('cp1'), NEEDS).filter(({ id }) => id === 'firewall');
    expect(told.map((one) => one.found)).toEqual(['firewalld is active', 'ufw is active', 'SELinux is enforcing']);
  });

  it('names every network to choose anew when the routes of a host lie in both', () => {
    const route = ['10.244.3.0/24', '10.96.4.0/24'].map((cidr) => ({ cidr, device: 'eth1', via: '-' }));
    const needs = { ...NEEDS, pods: ['10.244.0.0/16'], services: ['10.96.0.0/12'] };
    expect(wrong(facts({ route }), dutyOf('cp1'), needs)['routes']?.fix).toContain(
      'another network.pods and another network.services',
    );
  });

  it('needs conntrack before Kubernetes 1.32 only', () => {
    const found = facts({ lacks: ['conntrack'] });
    expect(wrong(found)).toEqual({});
    expect(wrong(found, dutyOf('cp1'), { ...NEEDS, kubernetes: 'v1.31.4' })).toHaveProperty('programs');
  });

  it('must be of an architecture that the release carries, and of the one that the site file says', () => {
    expect(wrong(facts(), dutyOf('cp1'), NEEDS, 'linux/arm64')['arch']?.found).toContain('linux/amd64');
    expect(wrong(facts(), dutyOf('cp1', { arch: 'arm64' }))['arch']?.found).toBe('amd64; the site file says arm64');
  });

  it('needs room on each file system for all that goes there together, and is told what that is', () => {
    const disk = [
      { path: '/usr/local', bytes: 1e9, what: 'programs', firm: true },
      { path: '/var/lib/containerd', bytes: 4e9, what: 'images', firm: true },
      { path: '/var/lib/etcd', bytes: 2e9, what: 'etcd', firm: false },
    ];
    const room = (free: number): Check | undefined => {
      const systems = facts().disk.map((system) => ({ ...system, free, total: 20e9 }));
      return wrong(facts({ disk: systems }), dutyOf('cp1', { disk }))['disk'];
    };
    expect([room(4e9)?.outcome, room(6e9)?.outcome, room(9e9)?.outcome]).toEqual(['fail', 'warn', undefined]);
    expect(room(4e9)).toMatchObject({
      found: '4 GB free on /, 5 GB needed, 7 GB with room to grow',
      fix: expect.stringContaining('Free 1 GB on / of cp1') as string,
      details: ['/usr/local: 1 GB programs', '/var/lib/containerd: 4 GB images', '/var/lib/etcd: 2 GB etcd (room to grow)'],
    });
  });

  it('must let programs run and files be written where they go', () => {
    const mounted = (option: string): BuildFacts =>
      facts({ disk: facts().disk.map((system) => ({ ...system, options: [option] })) });
    expect(wrong(mounted('ro'))['mounts']?.found).toBe('/ is mounted read-only');
    expect(wrong(mounted('noexec'))['mounts']?.found).toContain('noexec');
  });
});

describe('numbers that come from the plan', () => {
  const GB = 1e9;
  const sizes = {
    images: { all: 30 * GB, controlPlane: 6 * GB },
    registry: 20 * GB,
    components: new Map([
      ['kubelet', { size: 0.1 * GB, archive: false }],
      ['containerd', { size: 0.05 * GB, archive: true }],
      ['harbor', { size: 0.7 * GB, archive: true }],
    ]),
  };
  const needs = buildNeeds(site(), undefined, sizes, new Set());
  const room = (host: string): Record<string, number> => {
    const wishes = needs.duties.get(host)?.disk ?? [];
    return Object.fromEntries(
      [...Map.groupBy(wishes, ({ path }) => path)].map(([path, some]) => [
        path,
        some.reduce((sum, { bytes, firm }) => sum + (firm ? bytes : 0), 0) / GB,
      ]),
    );
  };

  it('are each host’s own: a control plane holds no apps, a registry what is pushed', () => {
    expect(room('cp1')).toEqual({ '/usr/local': 0.3, '/var/lib/containerd': 6, '/var/lib/kubelet': 0, '/var/lib/etcd': 0 });
    expect(room('w1')).toEqual({ '/usr/local': 0.3, '/var/lib/containerd': 30, '/var/lib/kubelet': 0 });
    expect(room('reg1')).toEqual({ '/usr/local': 0, '/var/lib/docker': 2.8, '/var/lib/harbor': 20 });
  });

  it.each([
    ['w1', '/var/lib/containerd'],
    ['reg1', '/var/lib/harbor'],
  ])('are summed up on %s, and what lacks is said with the folder that is largest', (host, folder) => {
    const duty = needs.duties.get(host);
    if (duty === undefined) throw new Error(`${host} has no duty`);
    const total = duty.disk.reduce((sum, { bytes, firm }) => sum + (firm ? bytes : 0), 0);
    const lacking = facts({
      disk: duty.disk.map(({ path }) => ({ path, total: 100 * GB, free: total - 2 * GB, mount: '/', options: ['rw'] })),
    });
    const disk = buildChecks(host, 'linux/amd64', lacking, duty, needs).find(({ id }) => id === 'disk');
    expect(disk).toMatchObject({
      outcome: 'fail',
      fix: expect.stringMatching(`^Free 2 GB on / of ${host}.*${folder}`) as string,
    });
    const enough = facts({
      disk: duty.disk.map(({ path }) => ({ path, total: 100 * GB, free: 90 * GB, mount: '/', options: ['rw'] })),
    });
    expect(buildChecks(host, 'linux/amd64', enough, duty, needs).find(({ id }) => id === 'disk')?.outcome).toBe('pass');
  });

  it('CPUs and memory of a host with Harbor are Harbor’s', () => {
    const found = wrong(facts({ cpus: 1, memory: 2 * GB }), dutyOf('reg1'));
    expect(found['cpu']).toMatchObject({ outcome: 'warn', found: '1 CPU; Harbor wants 2' });
    expect(found['memory']).toMatchObject({ outcome: 'warn', found: '2 GB; Harbor wants 4 GB' });
  });

  it('names that deliver does not write must be known there, with the address of the site file', () => {
    const names = [{ name: 'lb.site', address: '10.77.0.9', written: false }];
    const found = (addresses: string[]): Check | undefined =>
      wrong(facts({ resolved: [{ name: 'lb.site', addresses }] }), dutyOf('cp1'), { ...NEEDS, names })['name'];
    expect(found([])).toMatchObject({
      outcome: 'fail',
      found: 'lb.site can’t be resolved',
      fix: expect.stringContaining('10.77.0.9 lb.site') as string,
    });
    expect(found(['10.0.0.1'])).toMatchObject({
      outcome: 'warn',
      found: 'lb.site is 10.0.0.1 there, and 10.77.0.9 in the site file',
    });
    expect(found(['10.77.0.9'])).toBeUndefined();
  });
});

describe('hosts together', () => {
  const named = (host: string, more: Partial<BuildFacts>): { host: string; facts: BuildFacts } => ({
    host,
    facts: facts({ hostname: host, machineId: host, productUuid: host, ...more }),
  });
  const bad = (...hosts: { host: string; facts: BuildFacts }[]): Record<string, string> =>
    Object.fromEntries(identityChecks(hosts).flatMap(({ id, outcome }) => (outcome === 'pass' ? [] : [[id, outcome]])));

  it('must differ in name and machine id', () => {
    expect(bad(named('a', {}), named('b', {}))).toEqual({});
    expect(bad(named('a', { machineId: 'x' }), named('b', { machineId: 'x' }))).toEqual({ 'machine-id': 'fail' });
    expect(bad(named('a', { hostname: 'localhost' }), named('b', { hostname: 'localhost' }))).toEqual({ hostname: 'fail' });
    expect(bad(named('a', { hostname: 'Web_1' }))).toEqual({ hostname: 'fail' });
    expect(bad(named('a', { hostname: 'other' }))).toEqual({ hostname: 'warn' });
  });

  it('containers on one machine share its product UUID', () => {
    const twin = { productUuid: 'x' };
    expect(bad(named('a', twin), named('b', twin))).toEqual({ 'product-uuid': 'warn' });
    expect(bad(named('a', { ...twin, container: 'lxc' }), named('b', { ...twin, container: 'lxc' }))).toEqual({});
  });

  it('pods and services must not overlap', () => {
    expect(cidrChecks({ pods: ['10.244.0.0/16'], services: ['10.96.0.0/12'] })[0]?.outcome).toBe('pass');
    expect(cidrChecks({ pods: ['10.96.0.0/16'], services: ['10.96.0.0/12'] })[0]?.outcome).toBe('fail');
    expect(cidrChecks({ pods: ['10.300.0.0/16'], services: ['fd00::/108'] })[0]?.found).toContain('is no network');
  });
});

describe('what is asked of which host', () => {
  const ports = (host: string): number[] => dutyOf(host).ports.map(({ port }) => port);

  it('depends on its roles', () => {
    expect(ports('cp1')).toEqual([6443, 10257, 10259, 2379, 2380, 10250, 8443]);
    expect(ports('w1')).toEqual([10250, 8443]);
    expect(ports('reg1')).toEqual([443, 80]);
  });

  it('is nothing where the site uses a cluster and a registry that are there', () => {
    expect(buildsSomething(site(), undefined)).toBe(true);
    const given = site({ cluster: { from: 'cp1' }, registry: { host: 'registry.site' } });
    expect(buildsSomething(given, undefined)).toBe(false);
  });
});

describe('the answers of a host', () => {
  it('are read strictly', () => {
    expect(() => parseBuildFacts('cp1', ANSWER.replace('b.cpus=4', 'b.cpus=many'))).toThrowWithCode('E_HOST', 'cpus');
    expect(() => parseBuildFacts('cp1', ANSWER.replace('b.end=yes\n', ''))).toThrowWithCode('E_HOST', 'end');
    expect(() => parseBuildFacts('cp1', `${ANSWER}b.surprise=1\n`)).toThrowWithCode('E_HOST');
    expect(parseBuildFacts('cp1', 'uid=0\n')).toBeUndefined();
  });

  it('with certificates that can’t be read say nothing about these', () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const der = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
    expect(certificateEnds({ cert: [{ name: 'x', data: der }], kubeconfig: [{ name: 'y', data: '' }] }, 0)).toEqual([]);
  });
});

describe('a node that is to go', () => {
  it('needs nothing any more; a registry on it does', () => {
    const { duties } = buildNeeds(site({ drain: ['w1', 'reg1'] }), undefined, undefined, new Set());
    expect([...duties.keys()]).toEqual(['cp1', 'reg1']);
    expect(buildNeeds(site(), undefined, undefined, new Set()).duties.has('w1')).toBe(true);
  });
});
