import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SILENT } from '../../src/core/report.ts';
import { applyHosts, planHosts, type HostOutcome } from '../../src/site/host/apply.ts';
import { tracesOn, undoHost } from '../../src/site/host/reset.ts';
import { namesWish, nodeWish } from '../../src/site/host/prepare.ts';
import { emptyWish, joinWishes, type HostWish } from '../../src/site/host/wish.ts';
import { FORGET_ENDPOINT } from '../../src/site/kubeadm/endpoint.ts';
import { MIRROR_MARK } from '../../src/site/mirrors/files.ts';
import { planMirrors, writeMirrors } from '../../src/site/mirrors/mirrors.ts';
import { createConnector } from '../../src/ssh/connector.ts';
import { memoryBlobs, tarball } from '../support/blobs.ts';
import { deliver } from '../support/cli.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { startPrivateHost, whyNoPrivateHost, type PrivateHost } from '../support/private-host.ts';

const missing = whyNoPrivateHost();
const signal = new AbortController().signal;
const FSTAB = '/dev/sda1 / ext4 defaults 0 1\n/dev/swap1 none swap sw 0 0\n';
const HOSTS = '127.0.0.1 localhost\n10.0.0.9 theirs\n';
const UNIT = '/etc/systemd/system/tool.service';
const CONF = '/etc/tool/tool.conf';
/** Everything that is looked at: all of it must be as it was. */
const WATCHED = [
  ...['/etc/fstab', '/etc/hosts', UNIT, CONF, '/usr/local/bin/one', '/usr/local/bin/two', '/etc/tool/extra.conf'],
  ...['/proc/sys/net/ipv4/ip_forward', '/proc/swaps', '/etc/sysctl.d/90-deliver.conf', '/etc/modules-load.d/deliver.conf'],
  ...['/etc/fstab.before-deliver', '/etc/hosts.before-deliver', `${CONF}.before-deliver`, `${UNIT}.before-deliver`],
  ...['/var/lib/deliver/host.json', '/var/lib/deliver/host.journal', '/run/units/tool.service.enabled'],
];

describeUnless(missing, 'what deliver did on a host', () => {
  let host: PrivateHost;
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'deliver-reset-'));
    host = await startPrivateHost();
    host.write('/etc/fstab', FSTAB);
    host.write('/etc/hosts', HOSTS);
    // Somebody’s own unit with its own configuration, in deliver’s way.
    host.write(CONF, 'theirs\n', 0o640);
    host.write(UNIT, `[Service]\nExecStart=/usr/bin/tool ${CONF}\n`);
    host.write('/run/units/tool.service.enabled', '');
    host.write('/run/units/tool.service.active', 'theirs\n');
    writeFileSync(
      join(folder, 'site.yaml'),
      JSON.stringify({ apiVersion: 'deliver/v1', kind: 'Site', metadata: { name: 'plant-7' }, hosts: [host.host('w1')] }),
    );
  });
  afterEach(async () => {
    await host.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const seen = (): Record<string, string | undefined> => Object.fromEntries(WATCHED.map((path) => [path, host.read(path)]));
  const wish = (version: string): { wish: HostWish; blobs: ReturnType<typeof memoryBlobs> } => {
    const blobs = memoryBlobs();
    const own = {
      components: [
        {
          name: 'tools',
          version,
          blob: blobs.add(tarball({ 'bin/one': `one ${version}`, 'bin/two': 'two' })),
          layout: { kind: 'archive', into: '/usr/local/bin', root: 'bin' },
        },
      ],
      files: [
        { path: CONF, content: `# written by deliver; changes are overwritten\n${version}\n` },
        {
          path: UNIT,
          content: `# written by deliver; changes are overwritten\n[Service]\nExecStart=/usr/local/bin/one ${CONF}\n`,
        },
        { path: '/etc/tool/extra.conf', content: 'extra\n' },
      ],
      units: [{ name: 'tool.service', wanted: 'running', restartOn: ['tools', CONF, UNIT] }],
    } as const;
    const node = { ...nodeWish(), modules: [] };
    return { blobs, wish: joinWishes(emptyWish('w1'), node, namesWish([{ address: '10.0.0.1', names: ['cp1'] }]), own) };
  };
  const connected = () =>
    createConnector({
      hosts: [host.host('w1')],
      folder,
      knownHostsPath: join(folder, 'known_hosts'),
      secrets: () => {
        throw new Error('no secret is needed');
      },
      limits: { dial: 5000, login: 5000 },
    });
  /** One run of deliver, with connections of its own. */
  const apply = async (version: string): Promise<HostOutcome> => {
    const connector = connected();
    try {
      const wanted = wish(version);
      const [outcome] = await applyHosts(
        connector,
        await planHosts(connector, [wanted.wish], signal),
        wanted.blobs,
        SILENT,
        signal,
      );
      if (outcome === undefined) throw new Error('no outcome');
      return outcome;
    } finally {
      await connector.close();
    }
  };
  const reset = (...flags: string[]) =>
    deliver(['reset', 'w1', '--site', join(folder, 'site.yaml'), '--confirm', 'w1', ...flags]);

  it('is put back by a reset: files, units, swap, settings, names; a second one finds nothing', async () => {
    const before = seen();
    expect(await apply('v1')).toMatchObject({ state: 'changed' });
    expect(host.running('tool.service')).toContain('v1');
    expect(host.read('/proc/sys/net/ipv4/ip_forward')?.trim()).toBe('1');
    expect(host.read('/etc/hosts')).toContain('10.0.0.1 cp1');
    expect(host.read('/proc/swaps')).not.toContain('/dev/swap1');

    const first = await reset();
    expect(first.exitCode, first.stderr).toBe(0);
    expect(first.stdout).toContain('w1 is as it was before deliver.');
    expect(seen()).toEqual(before);
    expect(host.running('tool.service')).toBe('theirs\n');
    expect(host.read('/var/lib/deliver/lock')).toBeUndefined();

    const told = host.told().length;
    const second = await reset();
    expect(second.exitCode, second.stderr).toBe(0);
    expect(second.stdout).toContain('w1 has nothing of deliver on it.');
    expect(host.told().slice(told)).toEqual([]);
    expect(seen()).toEqual(before);
  });

  it('stays where somebody changed it since, under another name, and is told', async () => {
    await apply('v1');
    host.write('/etc/tool/extra.conf', 'edited by hand\n');
    host.write('/proc/sys/net/ipv4/ip_forward', '2\n');
    const ran = await reset();
    expect(ran.exitCode, ran.stderr).toBe(0);
    expect(host.read('/etc/tool/extra.conf')).toBeUndefined();
    expect(host.read('/etc/tool/extra.conf.after-deliver')).toBe('edited by hand\n');
    expect(host.read('/proc/sys/net/ipv4/ip_forward')).toBe('2\n');
    expect(ran.stdout + ran.stderr).toMatch(/ip_forward is 2/);
  });

  it('is not undone without the name of the host, typed or given', async () => {
    await apply('v1');
    const before = seen();
    const unasked = await deliver(['reset', 'w1', '--site', join(folder, 'site.yaml'), '--app-data', '/srv/app']);
    expect(unasked.exitCode).toBe(2);
    expect(unasked.stderr).toContain('/srv/app');
    const wrong = await deliver(['reset', 'w1', '--site', join(folder, 'site.yaml'), '--confirm', 'w2']);
    expect(wrong.exitCode).toBe(2);
    expect(seen()).toEqual(before);
  });

  it('leaves data alone, but for a folder that is named', async () => {
    await apply('v1');
    host.write('/srv/app/data', 'precious');
    host.write('/srv/other/data', 'precious');
    host.write('/var/lib/etcd/member/db', 'precious');
    expect((await reset()).exitCode).toBe(0);
    expect([host.read('/srv/app/data'), host.read('/var/lib/etcd/member/db')]).toEqual(['precious', 'precious']);
    const refused = await reset('--etcd-data');
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('--etcd-data means nothing on w1')]);
    for (const path of ['/', '/etc', '/var/lib', '/usr/local', '/srv/..', 'relative', '/home']) {
      expect((await reset('--app-data', path)).exitCode, path).toBe(2);
    }
    const ran = await reset('--app-data', '/srv/app');
    expect(ran.exitCode, ran.stderr).toBe(0);
    expect([host.read('/srv/app/data'), host.read('/srv/other/data')]).toEqual([undefined, 'precious']);
  }, 120_000);

  it('and a reset: killed anywhere, the same command goes on to the same end', async () => {
    const before = seen();
    let kills = 0;
    for (let call = 1; call < 400; call += 11) {
      await apply('v1');
      host.killAt(call);
      const cut = await reset();
      const killed = host.killed();
      host.killAt(undefined);
      if (!killed) break;
      kills++;
      expect(cut.exitCode, cut.stdout).not.toBe(0);
      const again = await reset();
      expect(again.exitCode, again.stderr).toBe(0);
      expect(seen(), `after a kill at call ${String(call)}`).toEqual(before);
      expect(host.running('tool.service')).toBe('theirs\n');
    }
    expect(kills).toBeGreaterThan(3);
  }, 300_000);

  it('by two runs beside one another is put back to what was before both', async () => {
    const before = seen();
    const connector = connected();
    const { wish: wanted, blobs } = wish('v1');
    try {
      const looks = await Promise.all([planHosts(connector, [wanted], signal), planHosts(connector, [wanted], signal)]);
      for (const look of looks) {
        const [outcome] = await applyHosts(connector, look, blobs, SILENT, signal);
        expect(outcome?.error).toBeUndefined();
      }
    } finally {
      await connector.close();
    }
    const ran = await reset();
    expect(ran.exitCode, ran.stderr).toBe(0);
    expect(seen()).toEqual(before);
  });

  it('is put back with /etc/hosts as it is after Kubernetes was taken off, not as it was looked at before', async () => {
    await apply('v1');
    const block = '# deliver: control plane endpoint\n127.0.0.1 lb.site.local\n# deliver: end of control plane endpoint\n';
    host.write('/etc/hosts', block + (host.read('/etc/hosts') ?? ''));
    const connector = connected();
    try {
      const connection = await connector.connect('w1', signal);
      expect((await tracesOn(connection, signal)).state.hostsFile).toContain('lb.site.local');
      await connection.run(FORGET_ENDPOINT, { sudo: true });
      await undoHost(connection, { remove: [], known: [] }, signal);
    } finally {
      await connector.close();
    }
    expect(host.read('/etc/hosts')).toBe(HOSTS);
  });

  it('goes from a host whose Docker is stopped, which can’t take Harbor down any more', async () => {
    await apply('v1');
    host.write('/var/lib/deliver/harbor/current/harbor/docker-compose.yml', 'services: {}\n');
    host.write('/usr/local/bin/docker', '#!/bin/sh\necho "Cannot connect to the Docker daemon" >&2\nexit 1\n', 0o755);
    const ran = await reset();
    expect(ran.exitCode, ran.stderr).toBe(0);
    expect(ran.stdout + ran.stderr).toContain('Docker does not run');
  });

  it('has its data gone before a unit of others runs again, which may keep its own there', async () => {
    host.write('/srv/app/live', 'old\n');
    host.write(UNIT, '[Service]\nExecStart=/usr/bin/tool /srv/app/live\n');
    await apply('v1');
    const ran = await reset('--app-data', '/srv/app');
    expect(ran.exitCode, ran.stderr).toBe(0);
    expect(host.running('tool.service')).toBe('');
  });

  it('mirrors that the runtime has not read yet are told to it by the next run, though no file differs any more', async () => {
    const connector = createConnector({
      hosts: [host.host('w1')],
      folder,
      knownHostsPath: join(folder, 'known_hosts'),
      secrets: () => {
        throw new Error('no secret is needed');
      },
    });
    try {
      const file = { path: '/etc/containers/registries.conf.d/50-deliver.conf', content: `${MIRROR_MARK}\n`, mode: 0o644 };
      const plan = async (reload: string) =>
        (await planMirrors(connector, ['w1'], [file], signal)).map((node) => ({ ...node, reload }));
      await expect(writeMirrors(connector, await plan('false'), SILENT, signal)).rejects.toMatchObject({ code: 'E_HOST' });
      expect(host.read(file.path)).toBe(file.content);
      const reload = 'echo reloaded >>/run/told';
      await writeMirrors(connector, await plan(reload), SILENT, signal);
      await writeMirrors(connector, await plan(reload), SILENT, signal);
      expect(host.told()).toEqual(['reloaded']);
    } finally {
      await connector.close();
    }
  });

  it('killed between a file and the restart that it asks for: the next run restarts, once', async () => {
    let kills = 0;
    let restarts = 0;
    for (let call = 1; call < 400; call += 5) {
      const [from, to] = [`v${String(call)}`, `v${String(call)}b`];
      await apply(from);
      host.killAt(call);
      await apply(to);
      const killed = host.killed();
      const written = host.read(CONF)?.includes(to) === true && host.running('tool.service')?.includes(to) === false;
      host.killAt(undefined);
      if (!killed) break;
      kills++;
      restarts += Number(written);
      const next = await apply(to);
      expect(next.error).toBeUndefined();
      expect(host.running('tool.service'), `after a kill at call ${String(call)}`).toBe(host.read(CONF));
      expect(host.running('tool.service')).toContain(to);
      const told = host.told().length;
      expect(await apply(to)).toMatchObject({ state: 'unchanged' });
      expect(host.told().slice(told)).toEqual([]);
    }
    expect(kills).toBeGreaterThan(3);
    // At least one kill fell where only what is kept on the host can tell that a restart is due.
    expect(restarts).toBeGreaterThan(0);
  }, 300_000);
});
