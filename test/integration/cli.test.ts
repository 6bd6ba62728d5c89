import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deliver } from '../support/cli.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deliver-cli-'));
  const key = ssh2.utils.generateKeyPairSync('ed25519', { comment: 'release@corp' });
  await Promise.all([writeFile(join(folder, 'key'), key.private), writeFile(join(folder, 'key.pub'), key.public)]);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A release of files only: it needs no registry. */
async function release(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const items = Object.entries(files).map(
    ([item, where]) => `  - { name: ${item}, ${where.includes('://') ? 'url' : 'path'}: "${where}" }`,
  );
  const head = [
    'apiVersion: deliver/v1',
    'kind: Release',
    `metadata: { name: ${name}, version: 1.0.0 }`,
    'platforms: [linux/amd64]',
    'files:',
  ];
  await writeFile(join(folder, `${name}.yaml`), [...head, ...items, ''].join('\n'));
  return `${name}.yaml`;
}

describe('a command line that deliver does not know', () => {
  it.each([
    [['pakc', 'x.yaml'], 'Did you mean deliver pack x.yaml?'],
    [['pack', 'x.yaml', '--outputt', 'y'], 'Did you mean “--output”?'],
    [['verify'], 'Missing 1 required argument'],
    [['push', 'x.tar'], 'Missing required flag to'],
  ])('is refused with exit 2 and help: %j', async (args, expected) => {
    const { exitCode, stderr, stdout } = await deliver(args);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(expected);
    expect(stderr).toContain('[E_USAGE]');
  });
});

it.each([
  [['plan', 'b.tar', '--site', 'bad.yaml'], false],
  [['doctor', '--site', 'bad.yaml'], false],
  [['status', '--site', 'bad.yaml'], false],
  [['resolve', 'bad.yaml'], true],
] as const)('says in %s that nothing was written only where it writes', async (args, told) => {
  await writeFile(join(folder, 'bad.yaml'), 'apiVersion: deliver/v1\nkind: x: y\n');
  const { stderr, exitCode } = await deliver(args, folder);
  expect(exitCode, stderr).toBe(3);
  expect(stderr.includes('Nothing was written.')).toBe(told);
});

it('shows help and version', async () => {
  expect((await deliver(['--version'])).stdout).toMatch(/^deliver \d+\.\d+\.\d+$/);
  expect((await deliver([])).stdout).toContain('in the order of a release’s life');
  const [help, flag] = await Promise.all([deliver(['help', 'pack']), deliver(['pack', '--help'])]);
  expect(help.stdout).toContain('deliver pack RELEASE [flags]');
  expect(flag.stdout).toBe(help.stdout);
});

it('packs, inspects and verifies a release, and writes plain lines into a pipe', async () => {
  await writeFile(join(folder, 'a.txt'), 'read me\n');
  const file = await release('notes', { runbook: './a.txt' });
  const packed = await deliver(['pack', file, '--sign-key', 'key', '--output', 'out'], folder);
  expect(packed).toMatchObject({ exitCode: 0, stderr: '' });
  expect(packed.stdout).toContain('✔ out/notes-1.0.0.tar');
  expect(packed.stdout).not.toContain('\u001B');
  const bundle = 'out/notes-1.0.0.tar';

  const inspected = await deliver(['inspect', bundle, '--json'], folder);
  expect(JSON.parse(inspected.stdout)).toMatchObject({ release: 'notes', files: [{ name: 'runbook', size: 8 }] });

  expect((await deliver(['verify', bundle, '--trust', 'key.pub'], folder)).exitCode).toBe(0);
  const untrusted = await deliver(['verify', bundle], folder);
  expect([untrusted.exitCode, untrusted.stderr]).toEqual([4, expect.stringContaining('[E_UNTRUSTED]')]);
});

it('writes one JSON event per line, an error last', async () => {
  const { exitCode, stdout, stderr } = await deliver(['resolve', 'nowhere.yaml', '--json'], folder);
  const events = stdout.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  expect([exitCode, stderr]).toEqual([3, '']);
  expect(events.map(({ event }) => event)).toEqual(['step-start', 'step-failed', 'error']);
  expect(events.at(-1)).toMatchObject({ code: 'E_FILE_NOT_FOUND', class: 'input', exit: 3 });
});

it('asks for no password where nobody can answer', async () => {
  const { exitCode, stderr } = await deliver(['push', 'out/notes-1.0.0.tar', '--to', '127.0.0.1:1', '--username', 'x'], folder);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--password-stdin')]);
});

describe('a stop in the middle of work', () => {
  let server: Server;
  let address = '';
  /** From then on no answer comes to its end. */
  let stalls = false;
  let stalled = 0;

  beforeAll(async () => {
    server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': '100000' });
      if (!stalls) return response.end(Buffer.alloc(100_000));
      stalled += 1;
      return response.write(Buffer.alloc(50_000));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('by %s ends with exit 130 and says how to go on', async (signal) => {
    [stalls, stalled] = [false, 0];
    const name = `slow-${signal.toLowerCase()}`;
    const file = await release(name, { big: `${address}/big` });
    expect(await deliver(['resolve', file], folder)).toMatchObject({ exitCode: 0 });
    stalls = true;
    const running = deliver(['pack', file, '--output', 'out'], folder);
    await expect.poll(() => stalled, { timeout: 15_000 }).toBe(1);
    running.kill(signal);
    const { exitCode, stderr } = await running;
    expect([exitCode, stderr]).toEqual([130, expect.stringContaining('[E_INTERRUPTED]')]);
    expect(stderr).toContain('Run the same command again');
    expect(existsSync(join(folder, `out/${name}-1.0.0.tar`))).toBe(false);
  });
});

const OLD_NODE = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
  return existsSync(path) && Number(/^v(\d+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1]) < 22;
});

describe.skipIf(OLD_NODE === undefined)('on a Node that is too old', () => {
  it('runs on the one that the project brings, with the same exit code', async () => {
    const script = new URL('../../bin/dev.js', import.meta.url).pathname;
    const old = OLD_NODE ?? '';
    expect(execFileSync(old, [script, '--version'], { encoding: 'utf8' })).toMatch(/^deliver /);
    expect(() => execFileSync(old, [script, 'frobnicate'], { stdio: 'pipe' })).toThrow(expect.objectContaining({ status: 2 }));
  });
});

it('says that the lock was written where it wrote it', async () => {
  const file = await release('lock-me', { runbook: './a.txt' });
  const { stdout } = await deliver(['resolve', file, '--json'], folder);
  expect(JSON.parse(stdout.split('\n').at(-1) ?? '')).toMatchObject({
    event: 'result',
    result: { outcome: 'written', contents: { files: { count: 1 } } },
  });
  expect(await readFile(join(folder, 'lock-me.lock.yaml'), 'utf8')).toContain('kind: Lock');
});
