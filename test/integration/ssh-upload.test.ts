import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { Secret } from '../../src/core/secret.ts';
import { createConnector } from '../../src/ssh/connector.ts';
import type { HostConnection, HostConnector, UploadSource } from '../../src/ssh/port.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { startSshd, whyNoSshd, type Sshd } from '../support/sshd.ts';

const missing = whyNoSshd();
const LARGE = 9 * 1024 * 1024;

describeUnless(missing, 'large files over a real sshd', () => {
  let sshd: Sshd;
  let folder: string;
  let connector: HostConnector;
  let connection: HostConnection;
  const content = randomBytes(LARGE);
  const opened: number[] = [];

  /** @param cutAfter the source breaks after so many bytes, as an unreadable medium does */
  const source = (bytes: Uint8Array = content, cutAfter = Infinity): UploadSource => ({
    digest: digestOf(content),
    size: content.byteLength,
    open: async function* (from) {
      opened.push(from);
      // One buffer for all chunks, as the readers of bundles have it.
      const chunk = Buffer.alloc(256 * 1024);
      for (let at = from; at < bytes.byteLength; at += chunk.byteLength) {
        if (at - from >= cutAfter) throw new Error('the medium broke');
        const length = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).copy(chunk, 0, at, at + chunk.byteLength);
        yield chunk.subarray(0, length);
      }
    },
  });

  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(async () => {
    await sshd.stop();
  });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'deliver-upload-'));
    opened.length = 0;
    connector = createConnector({
      hosts: [sshd.host('a')],
      folder,
      knownHostsPath: join(folder, 'known_hosts'),
      secrets: () => new Secret('none is asked for'),
    });
    connection = await connector.connect('a');
  });
  afterEach(async () => {
    await connector.close();
    rmSync(folder, { recursive: true });
  });

  it('arrive whole, with their mode, in folders that were not there', async () => {
    const path = join(folder, 'new folder/it’s $here');
    let bytes = 0;
    await connection.upload(path, source(), { mode: 0o750, onBytes: (count) => (bytes += count) });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o750);
    expect(bytes).toBe(LARGE);
    expect(existsSync(`${path}.part`)).toBe(false);
  });

  it('go on where an earlier attempt was cut off, and until then leave what was there', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'the old one');
    await expect(connection.upload(path, source(content, 6 * 1024 * 1024))).rejects.toThrow('the medium broke');
    expect(readFileSync(path, 'utf8')).toBe('the old one');
    await connection.upload(path, source());
    expect(readFileSync(path).equals(content)).toBe(true);
    // What was still on its way when the source broke is sent again.
    expect(opened.at(-1)).toBeGreaterThan(0);
    expect(opened.at(-1)).toBeLessThanOrEqual(6 * 1024 * 1024);
  });

  it('begin again when what was left behind is of another file', async () => {
    const path = join(folder, 'file');
    writeFileSync(`${path}.part`, randomBytes(5 * 1024 * 1024));
    await connection.upload(path, source());
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(opened).toEqual([5 * 1024 * 1024, 0]);
  });

  it('are refused and removed when another content arrives', async () => {
    const path = join(folder, 'file');
    const other = Buffer.from(content);
    other.writeUInt8(other.readUInt8(77) ^ 1, 77);
    await expect(connection.upload(path, source(other))).rejects.toThrowWithCode('E_DIGEST', 'another content');
    expect(existsSync(path)).toBe(false);
    expect(existsSync(`${path}.part`)).toBe(false);
  });

  it('tell what the host says of a full disk, and go on from what had room', async () => {
    const programs = join(folder, 'bin');
    mkdirSync(programs);
    const full = 'head -c 5000000 >"$2"; echo "tee: $2: No space left on device" >&2; exit 1';
    writeFileSync(join(programs, 'tee'), `#!/bin/sh\n${full}\n`, { mode: 0o755 });
    const small = await startSshd({ env: { PATH: `${programs}:/usr/bin:/bin` } });
    onTestFinished(() => small.stop());
    const path = join(folder, 'file');
    const other = createConnector({
      hosts: [small.host('b')],
      folder,
      knownHostsPath: join(folder, 'known_hosts'),
      secrets: () => new Secret('none is asked for'),
    });
    onTestFinished(() => other.close());
    const failed = (await other.connect('b')).upload(path, source());
    await expect(failed).rejects.toThrowWithCode('E_HOST', 'No space left on device');
    expect(existsSync(path)).toBe(false);
    await connection.upload(path, source());
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(opened).toEqual([0, 5_000_000]);
  });

  it('say so when the place is a folder', async () => {
    await expect(connection.upload(folder, source())).rejects.toThrowWithCode('E_HOST', 'is a directory');
  });

  it('a port on the host leads to a server here until it is closed', async () => {
    const server = createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const listener = await connection.listen({ address: '127.0.0.1', port: (server.address() as AddressInfo).port });
    const stream = await connection.dial('127.0.0.1', listener.port);
    const echoed = new Promise<string>((resolve) => {
      stream.once('data', (chunk: Buffer) => {
        resolve(chunk.toString());
      });
    });
    stream.write('hello');
    expect(await echoed).toBe('hello');
    await listener.close();
    await expect(connection.dial('127.0.0.1', listener.port)).rejects.toThrowWithCode('E_SSH', 'can’t be reached');
    stream.destroy();
    server.close();
  });
});
