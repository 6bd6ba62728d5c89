import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { planBundle } from '../../src/bundle/plan.ts';
import { digestOf } from '../../src/core/digest.ts';
import { buildRelease, bundleBytes, smallRelease, type TestRelease } from '../support/bundles.ts';
import { deliver } from '../support/cli.ts';
import { folderWith } from '../support/files.ts';
import { startHttp } from '../support/http.ts';
import { noise } from '../support/images.ts';

async function bundleFile({ lock, content }: TestRelease): Promise<string> {
  const path = join(await folderWith(), 'suite.tar');
  await writeFile(path, bundleBytes(planBundle(lock, []), content));
  return path;
}

/** Starts `deliver serve --json` and waits until it says where. */
async function started(path: string) {
  const child = deliver(['serve', path, '--listen', '127.0.0.1:0', '--allow-unsigned', '--json']);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const lines: string[] = [];
  const found = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    const url = /(http:\/\/127\.0\.0\.1:\d+) serves/.exec(line)?.[1];
    if (url !== undefined) found.resolve(url);
  });
  const ended = child.then(({ exitCode }) => exitCode);
  const url = await Promise.race([found.promise, ended]);
  if (typeof url !== 'string') throw new Error(`it ended before it listened:\n${lines.join('\n')}`);
  return { child, url, lines, ended };
}

describe('deliver serve', () => {
  it('serves until it is stopped, which is its good end', async () => {
    const { child, url, lines, ended } = await started(await bundleFile(smallRelease()));
    expect((await fetch(`${url}/v2/docker.io/library/busybox/manifests/1.36`)).status).toBe(200);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    await expect(fetch(`${url}/v2/`)).rejects.toThrow();
    const events = lines.map((line) => JSON.parse(line) as { event: string; line?: string; result?: { requests: number } });
    expect(events.at(-1)).toMatchObject({ event: 'result', result: { requests: 1, broken: 0 } });
    const notes = events.flatMap(({ line }) => (line === undefined ? [] : [line]));
    expect(notes).toContain(`[host."${url}"]`);
    expect(notes.at(-1)).toMatch(/^127\.0\.0\.1 GET 200 docker\.io\/library\/busybox\/manifests\/1\.36 /);
  });

  it('lets a pull that is under way end when it is stopped', async () => {
    const layer = noise(30_000_000, 'a long layer');
    const path = await bundleFile(buildRelease({ images: [{ reference: 'quay.io/a/b:1', layers: [layer] }] }));
    const { child, url, ended } = await started(path);
    const pulling = await fetch(`${url}/v2/quay.io/a/b/blobs/${digestOf(layer)}`);
    child.kill('SIGTERM');
    expect(digestOf(Buffer.from(await pulling.arrayBuffer()))).toBe(digestOf(layer));
    expect(await ended).toBe(0);
  });

  it.each([
    ['an unsigned bundle', [], 4, 'E_UNSIGNED'],
    ['a certificate without its key', ['--allow-unsigned', '--tls-cert', 'package.json'], 2, 'E_USAGE'],
    ['what is no certificate', ['--allow-unsigned', '--tls-cert', 'package.json', '--tls-key', 'package.json'], 3, 'E_LISTEN'],
    ['what is no address', ['--allow-unsigned', '--listen', 'here'], 2, 'E_USAGE'],
  ])('refuses %s', async (_what, flags, exit, code) => {
    const listen = flags.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
    const { exitCode, stderr } = await deliver(['serve', await bundleFile(smallRelease()), ...listen, ...flags]);
    expect([exitCode, stderr]).toEqual([exit, expect.stringContaining(code)]);
  });

  it('refuses an address that somebody else has', async () => {
    const taken = new URL(await startHttp(() => undefined)).host;
    const path = await bundleFile(smallRelease());
    const { exitCode, stderr } = await deliver(['serve', path, '--allow-unsigned', '--listen', taken]);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('E_LISTEN')]);
  });
});
