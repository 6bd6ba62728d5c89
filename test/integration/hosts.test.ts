import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { SILENT } from '../../src/core/report.ts';
import { Secret } from '../../src/core/secret.ts';
import type { SiteHost } from '../../src/manifest/site-schema.ts';
import { applyHosts, planHosts, type BlobPlaces, type HostOutcome } from '../../src/site/host/apply.ts';
import { refuseFailed } from '../../src/site/host/outcome.ts';
import { changesOf } from '../../src/site/host/plan.ts';
import { emptyWish, type HostWish } from '../../src/site/host/wish.ts';
import { createConnector } from '../../src/ssh/connector.ts';
import type { HostConnector } from '../../src/ssh/port.ts';
import { memoryBlobs, tarball, type MemoryBlobs } from '../support/blobs.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { startSshd, whyNoSshd, type Sshd } from '../support/sshd.ts';
import { descendants, kill } from '../support/processes.ts';

const missing = process.platform === 'linux' ? whyNoSshd() : 'not Linux';
const never = new AbortController().signal;

describeUnless(missing, 'hosts over a real sshd', () => {
  let sshd: Sshd;
  let root: string;
  const open: HostConnector[] = [];

  beforeAll(async () => {
    sshd = await startSshd({ config: ['MaxStartups 200', 'MaxSessions 100'] });
  });
  afterAll(async () => {
    await sshd.stop();
  });
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'deliver-hosts-'));
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((connector) => connector.close()));
    rmSync(root, { recursive: true });
  });

  const connectorTo = (hosts: readonly SiteHost[]): HostConnector => {
    const connector = createConnector({
      hosts,
      folder: root,
      knownHostsPath: join(root, 'known_hosts'),
      secrets: (variable) => new Secret(`value of ${variable}`),
      limits: { dial: 5000, login: 5000 },
    });
    open.push(connector);
    return connector;
  };
  const at = (host: string, path: string): string => join(root, host, path);
  const wishOf = (host: string, blobs: MemoryBlobs, version = 'v1', files: Readonly<Record<string, string>> = {}): HostWish => ({
    ...emptyWish(host, at(host, 'state')),
    components: [
      {
        name: 'tools',
        version,
        blob: blobs.add(tarball({ 'bin/one': `one ${version}`, 'bin/two': 'two', 'README.md': 'not wanted', ...files })),
        layout: { kind: 'archive', into: at(host, 'bin'), root: 'bin' },
      },
      {
        name: 'runc',
        version: 'v1',
        blob: blobs.add(Buffer.from('the program')),
        layout: { kind: 'program', path: at(host, 'sbin/runc') },
      },
    ],
    files: [{ path: at(host, 'etc/tools.conf'), content: `it’s ${version}\n`, mode: 0o640 }],
  });
  const apply = async (wishes: readonly HostWish[], blobs: BlobPlaces, connector: HostConnector): Promise<HostOutcome[]> =>
    applyHosts(connector, await planHosts(connector, wishes, never), blobs, SILENT, never);

  it('get what they lack, and the second run sends and changes nothing', async () => {
    const blobs = memoryBlobs();
    const connector = connectorTo([sshd.host('a')]);
    const [first] = await apply([wishOf('a', blobs)], blobs, connector);
    expect(first).toMatchObject({
      state: 'changed',
      changes: expect.arrayContaining([at('a', 'bin/one'), at('a', 'sbin/runc')]),
    });
    expect(readFileSync(at('a', 'bin/one'), 'utf8')).toBe('one v1');
    expect(statSync(at('a', 'sbin/runc')).mode & 0o777).toBe(0o755);
    expect(readFileSync(at('a', 'etc/tools.conf'), 'utf8')).toBe('it’s v1\n');
    expect(existsSync(at('a', 'bin/README.md'))).toBe(false);
    expect(statSync(at('a', 'state/host.json')).mode & 0o777).toBe(0o600);

    blobs.read.clear();
    const [second] = await apply([wishOf('a', blobs)], blobs, connector);
    expect(second).toMatchObject({ state: 'unchanged', changes: [] });
    expect(blobs.read.size).toBe(0);
  });

  it('don’t trust what a run that was killed had unpacked, and leave nothing of it', async () => {
    const blobs = memoryBlobs();
    const connector = connectorTo([sshd.host('a')]);
    const wish = wishOf('a', blobs);
    const [tools] = wish.components;
    if (tools === undefined) throw new Error('no component');
    const digest = tools.blob.digest.slice('sha256:'.length, 'sha256:'.length + 12);
    for (const name of ['0badcafe', 'x']) {
      const stage = at('a', `bin/.deliver-stage-${name}-${digest}`);
      mkdirSync(join(stage, 'bin'), { recursive: true });
      writeFileSync(join(stage, 'bin/one'), 'half of i');
      writeFileSync(`${stage}.list`, `${'0'.repeat(64)}  ./one\n`);
    }
    const second = {
      ...tools,
      name: 'more',
      blob: blobs.add(tarball({ three: 'three', four: 'four' })),
      layout: { kind: 'archive', into: at('a', 'bin'), only: ['three'] } as const,
    };
    await apply([{ ...wish, components: [...wish.components, second] }], blobs, connector);
    expect(readFileSync(at('a', 'bin/one'), 'utf8')).toBe('one v1');
    expect(readdirSync(at('a', 'bin')).sort()).toEqual(['one', 'three', 'two']);
  });

  it('lose what a newer version of a component no longer has, and keep everything else', async () => {
    const blobs = memoryBlobs();
    const connector = connectorTo([sshd.host('a')]);
    await apply([wishOf('a', blobs, 'v1', { 'bin/old': 'old' })], blobs, connector);
    writeFileSync(at('a', 'bin/theirs'), 'theirs');
    const [upgraded] = await apply([wishOf('a', blobs, 'v2')], blobs, connector);
    expect(upgraded?.changes.toSorted()).toEqual([at('a', 'bin/old'), at('a', 'bin/one'), at('a', 'etc/tools.conf')]);
    expect(existsSync(at('a', 'bin/old'))).toBe(false);
    expect(readFileSync(at('a', 'bin/theirs'), 'utf8')).toBe('theirs');
  });

  it('keep what others had there, once', async () => {
    const blobs = memoryBlobs();
    const connector = connectorTo([sshd.host('a')]);
    mkdirSync(at('a', 'bin'), { recursive: true });
    writeFileSync(at('a', 'bin/one'), 'somebody’s');
    const [first] = await apply([wishOf('a', blobs)], blobs, connector);
    expect(first?.notes.join()).toContain(`${at('a', 'bin/one')}.before-deliver`);
    await apply([wishOf('a', blobs, 'v2')], blobs, connector);
    expect(readFileSync(at('a', 'bin/one.before-deliver'), 'utf8')).toBe('somebody’s');
    const record: unknown = JSON.parse(readFileSync(at('a', 'state/host.json'), 'utf8'));
    expect(record).toMatchObject({
      files: { [at('a', 'bin/one')]: { component: 'tools v2', kept: at('a', 'bin/one.before-deliver') } },
    });
  });

  it('are mended where a file was changed or removed behind the record’s back', async () => {
    const blobs = memoryBlobs();
    const connector = connectorTo([sshd.host('a')]);
    await apply([wishOf('a', blobs)], blobs, connector);
    rmSync(at('a', 'sbin/runc'));
    writeFileSync(at('a', 'etc/tools.conf'), 'edited');
    const [mended] = await apply([wishOf('a', blobs)], blobs, connector);
    expect(mended?.changes.toSorted()).toEqual([at('a', 'etc/tools.conf'), at('a', 'sbin/runc')]);
  });

  it('survive a record that can’t be read: nothing is replaced, nothing taken for somebody else’s', async () => {
    const blobs = memoryBlobs();
    const connector = connectorTo([sshd.host('a')]);
    await apply([wishOf('a', blobs)], blobs, connector);
    const whole = readFileSync(at('a', 'state/host.json'), 'utf8');
    writeFileSync(at('a', 'state/host.json'), whole.slice(0, 50));
    const [again] = await apply([wishOf('a', blobs)], blobs, connector);
    expect(again).toMatchObject({ state: 'unchanged', changes: [] });
    expect(readFileSync(at('a', 'state/host.json'), 'utf8')).toBe(whole);
    expect(existsSync(at('a', 'bin/one.before-deliver'))).toBe(false);
    const [look] = await planHosts(connector, [wishOf('a', blobs)], never);
    expect(look !== undefined && 'plan' in look && changesOf(look.plan)).toBe(0);
  });

  it('are refused, untouched, when a newer deliver was there', async () => {
    const blobs = memoryBlobs();
    const connector = connectorTo([sshd.host('a')]);
    mkdirSync(at('a', 'state'), { recursive: true });
    writeFileSync(at('a', 'state/host.json'), '{"version":2}');
    const outcomes = await apply([wishOf('a', blobs)], blobs, connector);
    expect(() => {
      refuseFailed(outcomes);
    }).toThrowWithCode('E_HOST', 'newer deliver');
    expect(existsSync(at('a', 'bin'))).toBe(false);
  });

  it('say that an archive is not what it should be, and have nothing of it', async () => {
    const blobs = memoryBlobs();
    const connector = connectorTo([sshd.host('a')]);
    const wish = wishOf('a', blobs);
    const [tools] = wish.components;
    if (tools === undefined) throw new Error('no component');
    const broken = { ...wish, components: [{ ...tools, blob: blobs.add(Buffer.from('no archive')) }] };
    const [outcome] = await apply([broken], blobs, connector);
    expect(outcome?.error?.facts.why).toContain("tools can't be unpacked");
    expect(existsSync(at('a', 'bin/one'))).toBe(false);
  });

  it('number fifty: one that hangs and one that dies stop only themselves, and all are named', async () => {
    const [hung, dying] = await Promise.all([startSshd(), startSshd()]);
    const pidOf = (server: Sshd): number => Number(readFileSync(join(server.folder, 'pid'), 'utf8'));
    try {
      const names = Array.from({ length: 48 }, (_, index) => `n${String(index)}`);
      const fatal = Buffer.alloc(3_000_000, 'x');
      const blobs = memoryBlobs((digest, start) => {
        // In the middle of the transfer its session's processes are gone, as in a power cut.
        if (digest === doomed.digest && start > 500_000) for (const pid of descendants(pidOf(dying))) kill(pid);
      });
      const doomed = blobs.add(fatal);
      const connector = connectorTo([...names.map((name) => sshd.host(name)), hung.host('hung'), dying.host('dying')]);
      const small = blobs.add(Buffer.from('the program'));
      const wishes = [...names, 'hung', 'dying'].map((name): HostWish => ({
        ...emptyWish(name, at(name, 'state')),
        components: [{ name: 'runc', version: 'v1', blob: small, layout: { kind: 'program', path: at(name, 'sbin/runc') } }],
      }));
      process.kill(pidOf(hung), 'SIGSTOP');
      const last = wishes.at(-1);
      if (last === undefined) throw new Error('no wish');
      const large = {
        name: 'large',
        version: 'v1',
        blob: doomed,
        layout: { kind: 'program', path: at('dying', 'large') },
      } as const;
      const outcomes = await apply([...wishes.slice(0, -1), { ...last, components: [large] }], blobs, connector);

      expect(outcomes.filter(({ state }) => state === 'changed')).toHaveLength(48);
      expect(outcomes.slice(-2).map(({ host, state, error }) => [host, state, error?.code])).toEqual([
        ['hung', 'failed', 'E_SSH'],
        ['dying', 'failed', 'E_SSH'],
      ]);
      expect(existsSync(at('dying', 'large'))).toBe(false);
      expect(() => {
        refuseFailed(outcomes);
      }).toThrowWithCode('E_SSH', '2 hosts of 50 are not ready');
      const again = await apply(wishes.slice(0, 48), blobs, connector);
      expect(new Set(again.map(({ state }) => state))).toEqual(new Set(['unchanged']));
    } finally {
      process.kill(pidOf(hung), 'SIGCONT');
      await Promise.all([hung.stop(), dying.stop()]);
    }
  }, 240_000);
});
