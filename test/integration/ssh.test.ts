import { existsSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, get } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { DeliverError } from '../../src/core/errors.ts';
import { Secret } from '../../src/core/secret.ts';
import type { SiteHost } from '../../src/manifest/site-schema.ts';
import { createConnector, type ConnectorOptions } from '../../src/ssh/connector.ts';
import { dialer } from '../../src/ssh/dialer.ts';
import type { HostConnector } from '../../src/ssh/port.ts';
import { shellQuote } from '../../src/ssh/shell-quote.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { freePort, startSshd, whyNoSshd, type Sshd } from '../support/sshd.ts';

const missing = whyNoSshd();

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describeUnless(missing, 'SSH against a real sshd', () => {
  let sshd: Sshd;
  let inner: Sshd;
  let work: string;
  const open: HostConnector[] = [];

  const connectorTo = (hosts: readonly SiteHost[], more: Partial<ConnectorOptions> = {}): HostConnector => {
    const connector = createConnector({
      hosts,
      folder: work,
      knownHostsPath: join(work, 'known_hosts'),
      secrets: (variable) => new Secret(`value of ${variable}`),
      ...more,
    });
    open.push(connector);
    return connector;
  };

  beforeAll(async () => {
    [sshd, inner] = await Promise.all([startSshd(), startSshd({ hostKeyTypes: ['rsa', 'ed25519', 'ecdsa'] })]);
    work = await mkdtemp(join(tmpdir(), 'deliver-ssh-'));
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((connector) => connector.close()));
  });

  afterAll(async () => {
    await Promise.all([sshd.stop(), inner.stop(), rm(work, { recursive: true, force: true })]);
  });

  describe('commands', () => {
    it('gives code, output and errors apart, and input arrives whole', async () => {
      const connection = await connectorTo([sshd.host('a')]).connect('a');
      const result = await connection.run('cat; echo oops >&2; exit 3', { stdin: 'läuft’s\n' });
      expect(result).toEqual({ code: 3, stdout: 'läuft’s\n', stderr: 'oops\n' });
    });

    it('gives the code of a command that was killed as a shell does', async () => {
      const connection = await connectorTo([sshd.host('a')]).connect('a');
      expect((await connection.run('kill -9 $$')).code).toBe(137);
    });

    it('survives large output on both streams at once', async () => {
      const connection = await connectorTo([sshd.host('a')]).connect('a');
      const result = await connection.run(
        'head -c 5000000 /dev/zero | tr "\\0" a & head -c 5000000 /dev/zero | tr "\\0" b >&2; wait',
      );
      expect(result.stdout).toBe('a'.repeat(5_000_000));
      expect(result.stderr).toBe('b'.repeat(5_000_000));
    });

    it('does not wait for a command that ignores its input', async () => {
      const connection = await connectorTo([sshd.host('a')]).connect('a');
      expect((await connection.run('true', { stdin: Buffer.alloc(8_000_000) })).code).toBe(0);
    });

    it('runs many at once over one connection', async () => {
      const connection = await connectorTo([sshd.host('a')]).connect('a');
      const results = await Promise.all(Array.from({ length: 8 }, (_, index) => connection.run(`echo ${String(index)}`)));
      expect(results.map((result) => result.stdout.trim())).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
    });

    it('runs as many at once as sshd there allows, and those that it refused after them, with their input', async () => {
      for (const most of [1, 3]) {
        const strict = await startSshd({ config: [`MaxSessions ${String(most)}`] });
        onTestFinished(() => strict.stop());
        const connection = await connectorTo([strict.host('a')]).connect('a');
        const results = await Promise.all(
          Array.from({ length: 8 }, (_, index) => connection.run('cat', { stdin: String(index) })),
        );
        expect(results.map(({ stdout }) => stdout)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
      }
    });

    it('never begins a command that was given up while it waited for its turn', async () => {
      const strict = await startSshd({ config: ['MaxSessions 1'] });
      onTestFinished(() => strict.stop());
      const connection = await connectorTo([strict.host('a')]).connect('a');
      const [mark, released] = [join(work, 'begun'), join(work, 'released')];
      const first = connection.run(`until [ -e ${shellQuote(released)} ]; do sleep 0.1; done`);
      const aborter = new AbortController();
      const second = connection.run(`touch ${shellQuote(mark)}`, { signal: aborter.signal });
      const refused = expect(second).rejects.toThrow();
      aborter.abort();
      await refused;
      await writeFile(released, '');
      await first;
      expect((await connection.run('true')).code).toBe(0);
      expect(existsSync(mark)).toBe(false);
    });

    it('gives up a command that hangs, the connection still works, and the host ends the command', async () => {
      const connection = await connectorTo([sshd.host('a')]).connect('a');
      const mark = join(work, 'hangs.pid');
      const hanging = connection.run(`echo $$ >${shellQuote(mark)}; exec sleep 60`, { timeout: 500 });
      await expect(hanging).rejects.toThrowWithCode('E_HOST', 'within 0.5 s');
      expect((await connection.run('echo on')).stdout).toBe('on\n');
      const pid = await pidIn(mark);
      await expect.poll(() => isAlive(pid), { timeout: 15_000 }).toBe(false);
    });

    it('ends on an abort at once, and the connection still works', async () => {
      const connection = await connectorTo([sshd.host('a')]).connect('a');
      const mark = join(work, 'aborted.pid');
      const controller = new AbortController();
      const running = connection.run(`echo $$ >${shellQuote(mark)}; exec sleep 60`, { signal: controller.signal });
      running.catch(() => undefined);
      const pid = await pidIn(mark);
      controller.abort();
      await expect(running).rejects.toThrowWithCode('E_INTERRUPTED');
      expect((await connection.run('echo on')).stdout).toBe('on\n');
      process.kill(pid);
    });

    it('refuses to become root where the site file gives no way', async () => {
      const host = sshd.host('a', { user: process.getuid?.() === 0 ? 'root' : sshd.host('a').user });
      const connection = await connectorTo([host]).connect('a');
      const attempt = connection.run('id -u', { sudo: true });
      if (host.user === 'root') expect((await attempt).stdout).toBe('0\n');
      else await expect(attempt).rejects.toThrowWithCode('E_SUDO', 'sudo: true');
    });
  });

  describe('files', () => {
    it('brings 5 MB of any bytes there and back under any name', async () => {
      const connection = await connectorTo([sshd.host('a')]).connect('a');
      const path = join(work, `new folder/it's "odd" $(x) \`y\`\n* ü.bin`);
      const content = randomBytes(5 * 1024 * 1024);
      await connection.writeFile(path, content, 0o640);
      expect(Buffer.from((await connection.readFile(path)) ?? []).equals(content)).toBe(true);
      expect((await stat(path)).mode & 0o777).toBe(0o640);
    });

    it('replaces a file in one move and leaves nothing else behind', async () => {
      const connection = await connectorTo([sshd.host('a')]).connect('a');
      const path = join(work, 'moves/one');
      await connection.writeFile(path, 'first');
      const before = await stat(path);
      await connection.writeFile(path, 'second');
      expect(await readFile(path, 'utf8')).toBe('second');
      expect((await stat(path)).ino).not.toBe(before.ino);
      expect((await connection.run(`ls -A ${shellQuote(join(work, 'moves'))}`)).stdout).toBe('one\n');
    });

    it('tells a missing file from one that can’t be read or written', async () => {
      const connection = await connectorTo([sshd.host('a')]).connect('a');
      expect(await connection.readFile(join(work, 'no/such'))).toBeUndefined();
      await expect(connection.readFile(work)).rejects.toThrowWithCode('E_HOST', /directory/);
      await expect(connection.writeFile(work, 'x')).rejects.toThrowWithCode('E_HOST', /directory/);
      await expect(connection.writeFile('/proc/nothing/here', 'x')).rejects.toThrowWithCode('E_HOST', '/proc/nothing');
    });
  });

  describe('tunnels', () => {
    it('carries HTTP to a server that the host can reach', async () => {
      const body = randomBytes(3_000_000);
      const server = createHttpServer((_request, response) => response.end(body));
      const port = await listen(server);
      try {
        const dial = dialer(connectorTo([sshd.host('a')]), 'a');
        const stream = await dial('127.0.0.1', port);
        expect((await fetchOver(stream)).equals(body)).toBe(true);
      } finally {
        server.close();
      }
    });

    it('says which address could not be reached from which host', async () => {
      const connection = await connectorTo([sshd.host('a')]).connect('a');
      const port = await freePort();
      await expect(connection.dial('127.0.0.1', port)).rejects.toThrowWithCode('E_SSH', `127.0.0.1:${String(port)}`);
    });

    it('ends a writer whose other side went away', async () => {
      const server = createServer((socket) => socket.destroy());
      const port = await listen(server);
      try {
        const connection = await connectorTo([sshd.host('a')]).connect('a');
        const stream = await connection.dial('127.0.0.1', port);
        stream.on('error', () => undefined);
        const closed = new Promise((resolve) => stream.once('close', resolve));
        stream.write(Buffer.alloc(20_000_000));
        stream.resume();
        await closed;
      } finally {
        server.close();
      }
    });

    it('breaks open tunnels with an error when the connection is closed', async () => {
      const server = createServer(() => undefined);
      const port = await listen(server);
      try {
        const connector = connectorTo([sshd.host('a')]);
        const stream = await (await connector.connect('a')).dial('127.0.0.1', port);
        const failed = new Promise<Error>((resolve) => stream.once('error', resolve));
        await connector.close();
        expect(await failed).toMatchObject({ code: 'ECONNRESET' });
      } finally {
        server.close();
      }
    });
  });

  describe('bastions', () => {
    it('reaches a host through two others, each connected once', async () => {
      const connector = connectorTo([
        sshd.host('outer'),
        inner.host('middle', { via: 'outer' }),
        sshd.host('target', { via: 'middle' }),
      ]);
      const [first, second] = await Promise.all([connector.connect('target'), connector.connect('target')]);
      expect(first).toBe(second);
      expect((await first.run('echo "${SSH_CONNECTION##* }"')).stdout.trim()).toBe(String(sshd.port));
    });

    it('names the bastion when the host behind it is dead', async () => {
      const port = await freePort();
      const connector = connectorTo([sshd.host('outer'), inner.host('w1', { via: 'outer', port })]);
      await expect(connector.connect('w1')).rejects.toThrowWithCode(
        'E_SSH',
        /w1 \(127\.0\.0\.1:\d+, via outer\).*nothing listens/s,
      );
    });

    it('says what to allow on a bastion that forbids forwarding', async () => {
      const strict = await startSshd({ config: ['AllowTcpForwarding no'] });
      try {
        const connector = connectorTo([strict.host('strict'), inner.host('w1', { via: 'strict' })]);
        await expect(connector.connect('w1')).rejects.toThrowWithCode('E_SSH', 'AllowTcpForwarding');
      } finally {
        await strict.stop();
      }
    });
  });

  describe('host keys', () => {
    const without = (host: SiteHost): SiteHost => {
      const { hostKey: _, ...rest } = host;
      return rest;
    };

    it('refuses an unknown host, with the line to pin it', async () => {
      const connector = connectorTo([without(sshd.host('a'))]);
      const error = await connector.connect('a').catch((caught: unknown) => caught);
      expect(error).toThrowWithCode('E_HOST_KEY', /SHA256:[A-Za-z0-9+/]{43}/);
      expect(error).toThrowWithCode('E_HOST_KEY', `hostKey: "${sshd.hostKey}"`);
    });

    it('refuses another key than the pinned one', async () => {
      const connector = connectorTo([sshd.host('a', { hostKey: inner.hostKey })]);
      await expect(connector.connect('a')).rejects.toThrowWithCode('E_HOST_KEY', 'WRONG HOST KEY');
      const sameType = connectorTo([sshd.host('a', { hostKey: await publicKey(inner, 'ed25519') })]);
      await expect(sameType.connect('a')).rejects.toThrowWithCode('E_HOST_KEY', 'WRONG HOST KEY');
    });

    it('takes the key from known_hosts, whichever of the host’s keys is in there', async () => {
      for (const type of ['rsa', 'ed25519', 'ecdsa'] as const) {
        const file = join(work, `known_hosts_${type}`);
        await writeFile(file, `# comment\n[127.0.0.1]:${String(inner.port)} ${await publicKey(inner, type)}\n`);
        const connector = connectorTo([without(inner.host('b'))], { knownHostsPath: file });
        expect((await (await connector.connect('b')).run('echo hi')).stdout).toBe('hi\n');
      }
    });

    it('refuses a key that known_hosts marks as revoked', async () => {
      const file = join(work, 'known_hosts_revoked');
      const name = `[127.0.0.1]:${String(sshd.port)}`;
      await writeFile(file, `${name} ${sshd.hostKey}\n@revoked ${name} ${sshd.hostKey}\n`);
      const connector = connectorTo([without(sshd.host('a'))], { knownHostsPath: file });
      await expect(connector.connect('a')).rejects.toThrowWithCode('E_HOST_KEY', 'REVOKED');
    });
  });

  describe('logins', () => {
    it('says what was tried and what the host takes', async () => {
      const connector = connectorTo([sshd.host('a', { key: inner.key, password: '${secret.x}' })]);
      const error = await connector.connect('a').catch((caught: unknown) => caught);
      expect(error).toThrowWithCode('E_SSH_AUTH', `tried key ${inner.key}`);
      expect(error).toThrowWithCode('E_SSH_AUTH', 'the host takes publickey');
      expect(JSON.stringify((error as DeliverError).facts)).not.toContain('value of');
    });

    it('opens an encrypted key with its passphrase, and says when that is wrong', async () => {
      const locked = await startSshd({ passphrase: 'open sesame' });
      try {
        const host = locked.host('a', { passphrase: '${secret.p}' });
        const good = connectorTo([host], { secrets: () => new Secret('open sesame') });
        expect((await (await good.connect('a')).run('echo in')).stdout).toBe('in\n');
        const wrong = connectorTo([host]);
        await expect(wrong.connect('a')).rejects.toThrowWithCode('E_SSH_AUTH', 'passphrase is wrong');
        const none = connectorTo([locked.host('a')]);
        await expect(none.connect('a')).rejects.toThrowWithCode('E_SSH_AUTH', 'gives no passphrase');
      } finally {
        await locked.stop();
      }
    });

    it('logs in with a key that only the agent holds', async () => {
      const { key: _, ...host } = sshd.host('a');
      const agent = await startAgent(sshd.key);
      try {
        const connector = connectorTo([host], { agentSocket: agent.socket });
        expect((await (await connector.connect('a')).run('echo agent')).stdout).toBe('agent\n');
      } finally {
        await agent.stop();
      }
      const dead = connectorTo([host], { agentSocket: agent.socket });
      await expect(dead.connect('a')).rejects.toThrowWithCode('E_SSH_AUTH', 'not tried: the agent');
    });

    it('names a key file that is not there', async () => {
      const connector = connectorTo([sshd.host('a', { key: 'keys/none' })]);
      await expect(connector.connect('a')).rejects.toThrowWithCode('E_FILE_NOT_FOUND', join(work, 'keys/none'));
    });
  });

  describe('hosts that are not there', () => {
    it('says that nothing listens', async () => {
      const connector = connectorTo([sshd.host('a', { port: await freePort() })]);
      await expect(connector.connect('a')).rejects.toThrowWithCode('E_SSH', 'nothing listens');
    });

    it('gives up on a port that never says a word', async () => {
      const silent = createServer(() => undefined);
      const port = await listen(silent);
      try {
        const connector = connectorTo([sshd.host('a', { port })], { limits: { login: 300 } });
        await expect(connector.connect('a')).rejects.toThrowWithCode('E_SSH', 'within 0.3 s');
      } finally {
        silent.close();
      }
    });

    it('says when something else than sshd listens', async () => {
      const web = createHttpServer();
      const port = await listen(web);
      try {
        const connector = connectorTo([sshd.host('a', { port })]);
        await expect(connector.connect('a')).rejects.toThrowWithCode('E_SSH', 'No SSH connection');
      } finally {
        web.close();
      }
    });

    it('stops waiting on an abort and when it is closed', async () => {
      const silent = createServer(() => undefined);
      const port = await listen(silent);
      try {
        const connector = connectorTo([sshd.host('a', { port })]);
        const waiting = connector.connect('a');
        waiting.catch(() => undefined);
        await expect(connector.connect('a', AbortSignal.abort())).rejects.toThrowWithCode('E_INTERRUPTED');
        await connector.close();
        await expect(waiting).rejects.toThrowWithCode('E_INTERRUPTED');
      } finally {
        silent.close();
      }
    });

    it('reports a server that dies in the middle of a command, and connects anew afterwards', async () => {
      const mortal = await startSshd();
      try {
        const connector = connectorTo([mortal.host('a')]);
        const connection = await connector.connect('a');
        const running = connection.run(`kill -9 $(awk '/^PPid/ { print $2 }' /proc/$PPID/status); sleep 5`);
        await expect(running).rejects.toThrowWithCode('E_SSH', 'broke in the middle');
        await expect(connection.run('true')).rejects.toThrowWithCode('E_SSH');
        const again = await connector.connect('a');
        expect((await again.run('echo back')).stdout).toBe('back\n');
      } finally {
        await mortal.stop();
      }
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function pidIn(file: string): Promise<number> {
  await expect.poll(() => readFile(file, 'utf8').catch(() => ''), { timeout: 10_000 }).toMatch(/\d+\n/);
  return Number(await readFile(file, 'utf8'));
}

async function publicKey(sshd: Sshd, type: string): Promise<string> {
  return (await readFile(join(sshd.folder, `host_${type}.pub`), 'utf8')).split(' ').slice(0, 2).join(' ');
}

function fetchOver(stream: Duplex): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = get({ host: 'x', path: '/', createConnection: () => stream }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve(Buffer.concat(chunks));
      });
    });
    request.on('error', reject);
  });
}

async function startAgent(key: string): Promise<{ socket: string; stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'deliver-agent-'));
  const socket = join(folder, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  await expect
    .poll(
      () =>
        stat(socket).then(
          () => true,
          () => false,
        ),
      { timeout: 5000 },
    )
    .toBe(true);
  const adding = spawn('ssh-add', ['-q', key], { stdio: 'ignore', env: { ...process.env, SSH_AUTH_SOCK: socket } });
  const code = await new Promise((resolve) => adding.once('exit', resolve));
  expect(code).toBe(0);
  return {
    socket,
    stop: async () => {
      agent.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
