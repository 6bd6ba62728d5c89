import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environmentFor } from '../support/minio.ts';

// What is installed is bundled (tools/build.ts): the same commands, with threads and files found from where they lie then.

const repository = path.resolve(import.meta.dirname, '../..');
/** Beside src/, as dist/ is. */
const built = path.join(repository, `.tmp-built-${String(process.pid)}`);
let folder: string;
let start: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'deliver-built-'));
  start = path.join(folder, 'start.mjs');
  const main = JSON.stringify(path.join(built, 'cli/main.js'));
  await writeFile(start, `import { main } from ${main};\nprocess.exit(await main(process.argv.slice(2)));\n`);
  await execa(process.execPath, ['tools/build.ts', path.basename(built)], { cwd: repository, timeout: 60_000 });
});

afterAll(async () => {
  await Promise.all([built, `${built}.part`, folder].map((made) => rm(made, { recursive: true, force: true })));
});

function deliver(...args: string[]) {
  const env = { DEBUG: '', ...environmentFor('http://127.0.0.1:9') };
  return execa(process.execPath, [start, ...args], { reject: false, cwd: folder, stdin: 'ignore', timeout: 60_000, env });
}

describe('deliver as it is installed', () => {
  it('resolves, packs, verifies, splits with parity, and verifies the volumes', async () => {
    // Large enough for the threads that write, hash and multiply.
    await writeFile(path.join(folder, 'large.bin'), randomBytes(9_000_000));
    await writeFile(
      path.join(folder, 'suite.yaml'),
      'apiVersion: deliver/v1\nkind: Release\nmetadata: { name: suite, version: "1" }\nplatforms: [linux/amd64]\nfiles: [{ name: large, path: ./large.bin }]\n',
    );
    for (const line of [
      'resolve suite.yaml',
      'pack suite.yaml --output out',
      'verify out/suite-1.tar --allow-unsigned',
      'inspect out/suite-1.tar',
      'split out/suite-1.tar --volume-size 2M --parity 2 --output set',
      'verify set --allow-unsigned',
    ]) {
      const { exitCode, stderr } = await deliver(...line.split(' '));
      expect({ line, exitCode, stderr }).toEqual({ line, exitCode: 0, stderr: '' });
    }
    expect(await readdir(path.join(folder, 'out'))).toContain('suite-1.tar');
  });

  it.each([
    ['its help', ['pack', '--help'], 0],
    ['a word that is no command', ['pakc'], 2],
    ['a file that is not there', ['verify', 'nothing.tar', '--allow-unsigned'], 3],
    ['a bucket that does not answer', ['fetch', 's3://nowhere/x.tar', 'out', '--json'], 5],
  ])('answers for %s', async (_, args, code) => {
    const { exitCode } = await deliver(...args);
    expect(exitCode).toBe(code);
  });
});
