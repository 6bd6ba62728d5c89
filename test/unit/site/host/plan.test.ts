import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../../src/core/digest.ts';
import { hostsFileWith } from '../../../../src/site/host/names.ts';
import { nodeWish } from '../../../../src/site/host/prepare.ts';
import { planHost } from '../../../../src/site/host/plan.ts';
import { parseState } from '../../../../src/site/host/state.ts';
import { emptyWish, joinWishes } from '../../../../src/site/host/wish.ts';
import { containerdConfig } from '../../../../src/site/runtime/containerd.ts';
import { runtimeWish } from '../../../../src/site/runtime/wish.ts';

const blob = { digest: digestOf('x'), size: 1 };
const containerd = { name: 'containerd', version: 'v1.7.28', blob, blobs: new Map([['linux/amd64', blob]]) };
const wish = joinWishes(emptyWish('w1'), runtimeWish([containerd], { sandboxImage: 'registry.k8s.io/pause:3.10' }));
const looked = (...lines: string[]) =>
  parseState('w1', ['system=Linux', 'machine=x86_64', 'cgroup=cgroup2fs', ...lines].join('\n'));

describe('a containerd of the distribution’s package', () => {
  it('is used as it is when it is set up for Kubernetes', () => {
    const plan = planHost(
      wish,
      looked(
        'packaged=containerd containerd github.com/containerd/containerd 1.7.24 abc',
        'unit=containerd.service|active|enabled|/lib/systemd/system/containerd.service',
        'systemdCgroup=yes',
        'configPath="/etc/containerd/certs.d"',
      ),
    );
    expect(plan.refused).toBeUndefined();
    expect(plan.components).toEqual([]);
    expect(plan.files.map(({ path }) => path)).toEqual(['/etc/crictl.yaml']);
    expect(plan.notes).toEqual(['containerd 1.7.24 of the distribution’s package is used as it is']);
  });

  it('is never mixed with ours: what is wrong with it is said', () => {
    const plan = planHost(wish, looked('packaged=containerd containerd containerd.io 1.7.24 abc', 'criDisabled=yes'));
    expect(plan.refused?.facts.why).toBe(
      'containerd 1.7.24 of the distribution’s package: it does not run, its CRI plugin is disabled, SystemdCgroup is not true, config_path is not /etc/containerd/certs.d',
    );
  });
});

it('refuses a host of a platform that the release does not carry', () => {
  const plan = planHost(wish, parseState('w1', 'system=Linux\nmachine=aarch64'));
  expect(plan.refused?.facts.why).toBe('it is linux/arm64, and the release has containerd for linux/amd64');
});

it('replaces a foreign config.toml only where nothing runs with it', () => {
  const there = ['file=644 10 1 /etc/containerd/config.toml', 'sum=00 /etc/containerd/config.toml'];
  expect(planHost(wish, looked(...there, 'containers=0')).refused).toBeUndefined();
  expect(planHost(wish, looked(...there, 'containers=3')).refused?.facts.why).toContain('3 containers run with it');
  const marked = looked(...there, 'marked=/etc/containerd/config.toml', 'containers=3');
  expect(planHost(wish, marked).refused).toBeUndefined();
});

it('asks for swap off until no swap is on and none comes back at the next boot', () => {
  const swap = (state: ReturnType<typeof looked>) =>
    planHost(joinWishes(emptyWish('w1'), nodeWish()), state).items.find(({ what }) => what === 'swap off')?.done;
  expect(swap(looked('swap=0', 'fstab=0'))).toBe(true);
  expect(swap(looked('swap=1', 'fstab=0'))).toBe(false);
  expect(swap(looked('swap=0', 'fstab=1'))).toBe(false);
});

it('writes the configuration that each containerd knows', () => {
  const settings = { sandboxImage: 'registry.k8s.io/pause:3.10', restrictOomScore: false };
  const old = containerdConfig({ ...settings, version: '1.6.39' });
  expect(old).toContain('version = 2\n');
  expect(old).toContain('sandbox_image = "registry.k8s.io/pause:3.10"');
  expect(old).not.toContain('restrict_oom_score_adj');
  const two = containerdConfig({ ...settings, version: 'v2.1.4', restrictOomScore: true, dataFolder: '/data/containerd' });
  expect(two).toContain('version = 3\nroot = "/data/containerd"');
  expect(two).toContain('[plugins.\'io.containerd.cri.v1.images\'.pinned_images]\n    sandbox = "registry.k8s.io/pause:3.10"');
  expect(two).toContain('bin_dirs = ["/opt/cni/bin"]');
  expect(two).toContain('restrict_oom_score_adj = true');
  expect(containerdConfig({ ...settings, version: 'v2.0.5' })).toContain('bin_dir = "/opt/cni/bin"');
});

it('keeps its block in a hosts file in one place and everything around it', () => {
  const before = '127.0.0.1 localhost\n10.0.0.9 theirs';
  const first = hostsFileWith(before, ['10.0.0.1 cp1']);
  expect(first.startsWith(`${before}\n# deliver: begin`)).toBe(true);
  const second = hostsFileWith(`${first}10.0.0.8 later\n`, ['10.0.0.1 cp1', '10.0.0.2 w1']);
  expect(second).toContain('10.0.0.2 w1\n# deliver: end\n10.0.0.8 later\n');
  expect(hostsFileWith(second, ['10.0.0.1 cp1', '10.0.0.2 w1'])).toBe(second);
  expect(hostsFileWith(second, [])).toBe(`${before}\n10.0.0.8 later\n`);
});

it('names all the programs that a host lacks in one fix, with the packages that bring them', () => {
  const { facts } =
    planHost(wish, looked('lacks=tar', 'lacks=stat', 'lacks=base64', 'lacks=find', 'lacks=systemd')).refused ?? {};
  expect(facts?.why).toBe('missing: tar, stat, base64, find; systemd is not there');
  expect(facts?.fix).toBe(
    [
      'Install tar, stat, base64, find on w1 from its distribution’s media (packages tar, coreutils, findutils).',
      'deliver prepares hosts that systemd runs.',
    ].join('\n'),
  );
});
