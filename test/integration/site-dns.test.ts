import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Resolver } from 'node:dns/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SiteSchema, type Site } from '../../src/manifest/site-schema.ts';
import { clusterNameLines, lanCorefile } from '../../src/site/dns/corefile.ts';
import { siteNames } from '../../src/site/dns/names.ts';
import { DNS_PROGRAM, dnsHosts, dnsWish } from '../../src/site/dns/wish.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { labProgram } from '../support/lab-program.ts';

const COREDNS = labProgram('coredns');
const missing = await access(COREDNS).then(
  () => undefined,
  () => `${COREDNS} is not there: test/lab/binaries.sh gets it`,
);

const SITE: Site = SiteSchema.parse({
  apiVersion: 'deliver/v1',
  kind: 'Site',
  metadata: { name: 'plant-7' },
  hosts: [{ name: 'reg1', address: '10.77.0.10' }],
  roles: { registry: ['reg1'] },
  registry: { host: 'dockerhub.kubekey.local' },
  ingress: { addresses: ['10.86.67.11', '10.86.68.66'], domain: 'apps.plant-7.example' },
});
const URLS = ['http://gatekeeper.project.10.86.67.11.nip.io', 'https://board.plant-7.example/start'];

describeUnless(missing, 'names without the internet', () => {
  let folder: string;
  const servers: Server[] = [];
  let lan: Resolver;
  let inCluster: Resolver;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'deliver-dns-'));
    const names = siteNames(SITE, URLS);
    const started = await Promise.all([
      serve((port) => lanCorefile(names, { bind: ['127.0.0.1'], port })),
      serve((port) => `.:${String(port)} {\n bind 127.0.0.1\n errors\n${clusterNameLines(names)}\n}\n`),
    ]);
    [lan, inCluster] = started;
  }, 60_000);

  afterAll(async () => {
    await Promise.all(servers.map(({ stop }) => stop()));
    await rm(folder, { recursive: true, force: true });
  });

  const serve = async (corefile: (port: number) => string, left = 4): Promise<Resolver> => {
    const port = await freePort();
    const path = join(folder, `Corefile.${String(port)}`);
    await writeFile(path, corefile(port));
    const server = startServer(path);
    servers.push(server);
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    resolver.setServers([`127.0.0.1:${String(port)}`]);
    for (let tries = 0; tries < 60; tries++) {
      // Somebody else may have taken the port since.
      if (server.ended() && left > 0 && server.said().includes('address already in use')) return serve(corefile, left - 1);
      if (server.ended()) throw new Error(`coredns ended: ${server.said()}`);
      const answers = await resolver.resolve4('reg1').catch(() => []);
      if (answers.length > 0) return resolver;
      await sleep(250);
    }
    throw new Error(`coredns does not answer: ${server.said()}`);
  };

  test.each([
    ['gatekeeper.project.10.86.67.11.nip.io', '10.86.67.11'],
    ['gatekeeper.project.10-86-68-66.nip.io', '10.86.68.66'],
    ['web-10-0-0-5.nip.io', '10.0.0.5'],
    ['10.0.0.5.nip.io', '10.0.0.5'],
    // Dashes before dots, as sslip.io reads it.
    ['a.10.0.0.5.b-10-0-0-6.nip.io', '10.0.0.6'],
    ['web.default.10.86.67.11.apps.plant-7.example', '10.86.67.11'],
    ['board.plant-7.example', '10.86.67.11'],
    ['dockerhub.kubekey.local', '10.77.0.10'],
    ['reg1', '10.77.0.10'],
  ])('%s is %s, on the LAN and in the cluster', async (name, address) => {
    expect(await lan.resolve4(name)).toEqual([address]);
    expect(await inCluster.resolve4(name)).toEqual([address]);
  });

  test.each(['web.300.0.0.1.nip.io', 'web.nip.io'])('%s carries no address, and gets none', async (name) => {
    await expect(lan.resolve4(name)).rejects.toMatchObject({ code: 'ENODATA' });
  });

  test.each(['reg1', 'gatekeeper.10.86.67.11.nip.io'])(
    '%s has no IPv6 address, which is said so that IPv4 is used',
    async (name) => {
      await expect(lan.resolve6(name)).rejects.toMatchObject({ code: 'ENODATA' });
      await expect(inCluster.resolve6('gatekeeper.10.86.67.11.nip.io')).rejects.toMatchObject({ code: 'ENODATA' });
    },
  );

  test('are remembered for a minute, whichever way they are known', async () => {
    const ttls = async (name: string): Promise<number[]> =>
      (await lan.resolve4(name, { ttl: true })).map(({ ttl }: { readonly ttl: number }) => ttl);
    for (const name of ['fresh.10.0.0.7.nip.io', 'board.plant-7.example', 'dockerhub.kubekey.local']) {
      const [ttl = 0] = await ttls(name);
      expect(ttl, name).toBeGreaterThan(0);
      expect(ttl, name).toBeLessThanOrEqual(60);
    }
  });

  test('hosts with an IPv6 address are answered with it, and with nothing for IPv4', async () => {
    const v6 = SiteSchema.parse({
      ...SITE,
      hosts: [
        { name: 'reg1', address: '10.77.0.10' },
        { name: 'six', address: 'fd00:77::6' },
      ],
    });
    const server = await serve((port) => lanCorefile(siteNames(v6, []), { bind: ['127.0.0.1'], port }));
    expect(await server.resolve6('six')).toEqual(['fd00:77::6']);
    await expect(server.resolve4('six')).rejects.toMatchObject({ code: 'ENODATA' });
  });

  test('the cluster asks the site’s resolvers for what is not the site’s own, and nobody where there are none', async () => {
    const foreign = await freePort();
    await serve(
      (port) =>
        `.:${String(foreign)} reg1:${String(port)} {\n bind 127.0.0.1\n hosts /dev/null {\n 192.0.2.7 corp.example\n 10.77.0.10 reg1\n }\n}\n`,
    );
    const site = SiteSchema.parse({ ...SITE, network: { plugin: 'flannel', resolvers: ['127.0.0.1'] } });
    const lines = clusterNameLines(siteNames(site, URLS)).replace('127.0.0.1', `127.0.0.1:${String(foreign)}`);
    const forwarding = await serve((port) => `.:${String(port)} {\n bind 127.0.0.1\n errors\n${lines}\n}\n`);
    expect(await forwarding.resolve4('corp.example')).toEqual(['192.0.2.7']);
    expect(await forwarding.resolve4('a.10.0.0.5.nip.io')).toEqual(['10.0.0.5']);
    await expect(inCluster.resolve4('corp.example')).rejects.toMatchObject({
      code: expect.stringMatching(/^E(?:REFUSED|SERVFAIL)$/) as string,
    });
  });

  test('the unit’s own command line starts it, with the files that a host gets, on that host’s address alone', async () => {
    const site = SiteSchema.parse({ ...SITE, ingress: { ...SITE.ingress, dns: { on: 'registry' } } });
    const [host] = dnsHosts(site);
    if (host === undefined) throw new Error('no host');
    const wish = dnsWish({ ...host, address: '127.0.0.1' }, siteNames(site, URLS), undefined);
    const [corefile, unit] = wish.files.map(({ content }) => (typeof content === 'string' ? content : ''));
    if (corefile === undefined || unit === undefined) throw new Error('no files');
    const [, program, path] = /^ExecStart=(\S+) -conf (\S+)$/m.exec(unit) ?? [];
    expect([program, path]).toEqual([DNS_PROGRAM, wish.files[0]?.path]);
    expect(corefile).toContain('bind 127.0.0.1');
    expect(corefile).toMatch(/:53 \{/);
    // Another port than 53 is all that is not as on the host.
    const server = await serve((port) => corefile.replaceAll(':53 ', `:${String(port)} `));
    expect(await server.resolve4('gatekeeper.project.10.86.67.11.nip.io')).toEqual(['10.86.67.11']);
    await expect(server.resolve4('example.org')).rejects.toMatchObject({ code: 'EREFUSED' });
  });

  test.each(['example.org', 'kubekey.local', 'other.plant-7.example'])(
    '%s is nobody’s here: refused, so that the next server is asked',
    async (name) => {
      await expect(lan.resolve4(name)).rejects.toMatchObject({ code: 'EREFUSED' });
    },
  );
});

test('a site with resolvers lets its cluster ask them', () => {
  const site = { ...SITE, network: { plugin: 'flannel', resolvers: ['10.0.0.2', '10.0.0.3'] } };
  expect(clusterNameLines(siteNames(site, []))).toContain('forward . 10.0.0.2 10.0.0.3');
  expect(clusterNameLines(siteNames(SITE, []))).not.toContain('forward');
});

interface Server {
  stop(): Promise<void>;
  ended(): boolean;
  said(): string;
}

function startServer(corefile: string): Server {
  const child: ChildProcess = spawn(COREDNS, ['-conf', corefile], { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = new Promise((resolve) => child.once('close', resolve));
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return {
    ended: () => child.exitCode !== null || child.signalCode !== null,
    said: () => text,
    stop: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
