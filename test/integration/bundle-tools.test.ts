import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headerOf, planBundle } from '../../src/bundle/plan.ts';
import { digestOf, hexOf } from '../../src/core/digest.ts';
import { bundleBytes, smallRelease } from '../support/bundles.ts';
import { hasCommand } from '../support/has-command.ts';
import { labProgram } from '../support/lab-program.ts';

const ORAS = labProgram('oras');

// What others make of a bundle. `skipIf` shows what was left out on a machine that lacks a tool.
const folder = mkdtempSync(join(tmpdir(), 'deliver-tools-'));
const path = join(folder, 'suite.tar');
const { lock, content } = smallRelease();
const plan = planBundle(lock, [{ armored: 'a signature' }]);
const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe', cwd: folder });

beforeAll(() => {
  writeFileSync(path, bundleBytes(plan, content));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!hasCommand('tar'))('tar', () => {
  it('lists every member with its size, in order', () => {
    const listed = run('tar', '--numeric-owner', '-tvf', path)
      .trim()
      .split('\n')
      .map((line) => line.split(/ +/));
    expect(listed.map((words) => words.at(-1))).toEqual(plan.members.map(({ name }) => name));
    expect(listed.map((words) => Number(words[2]))).toEqual(plan.members.map(({ size }) => size));
    expect(new Set(listed.map(([mode, owner]) => `${mode ?? ''} ${owner ?? ''}`))).toEqual(new Set(['-rw-r--r-- 0/0']));
  });

  it('unpacks to an image layout whose blobs are what their names say', () => {
    const out = mkdtempSync(join(folder, 'out-'));
    run('tar', '-xf', path, '-C', out);
    const blobs = join(out, 'blobs', 'sha256');
    for (const name of readdirSync(blobs)) expect(hexOf(digestOf(readFileSync(join(blobs, name))))).toBe(name);
    expect(JSON.parse(readFileSync(join(out, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
  });

  it('understands a member of 9 GiB', async () => {
    const size = 9 * 1024 ** 3;
    const big = planBundle(
      { ...lock, files: [{ name: 'big', title: 'big', source: './big', digest: digestOf('big'), size }] },
      [],
    );
    const sparse = await open(join(folder, 'big.tar'), 'w');
    for (const member of big.members) {
      await sparse.write(headerOf(member), 0, undefined, member.headerOffset);
      await sparse.write(member.content ?? Buffer.alloc(0), 0, undefined, member.offset);
    }
    await sparse.truncate(big.size);
    await sparse.close();
    const listed = run('tar', '-tvf', join(folder, 'big.tar'));
    expect(listed).toContain(` ${size} `);
    expect(listed.trim().split('\n')).toHaveLength(big.members.length);
  });
});

describe.skipIf(!hasCommand('skopeo'))('skopeo', () => {
  // Unpacking an archive, older versions insist on the owner in it, which only root may set: others read the layout.
  const root = process.getuid?.() === 0;
  const layout = root ? `oci-archive:${path}` : `oci:${join(folder, 'layout')}`;

  beforeAll(() => {
    if (root) return;
    mkdirSync(join(folder, 'layout'));
    run('tar', '-xf', path, '-C', 'layout', '--no-same-owner');
  });

  it('reads every image by its reference, with the digest of the source', () => {
    for (const { reference, digest } of lock.images) {
      const found = JSON.parse(run('skopeo', 'inspect', `${layout}:${reference}`)) as { Digest: string };
      expect(found.Digest).toBe(digest);
    }
  });

  it('copies an image out, byte for byte', () => {
    const [image] = lock.images;
    const out = join(folder, 'copied');
    run('skopeo', 'copy', '--preserve-digests', `${layout}:${image?.reference ?? ''}`, `dir:${out}`);
    expect(digestOf(readFileSync(join(out, 'manifest.json')))).toBe(image?.digest);
  });
});

describe.skipIf(!existsSync(ORAS))('oras', () => {
  it('pulls a file of the release by its name, under the name that it has on arrival', () => {
    const [file] = lock.files;
    run(ORAS, 'pull', '--oci-layout', `${path}:files/${file?.name ?? ''}`, '--output', 'pulled');
    expect(readdirSync(join(folder, 'pulled'))).toEqual([file?.title]);
    expect(digestOf(readFileSync(join(folder, 'pulled', file?.title ?? '')))).toBe(file?.digest);
  });
});
