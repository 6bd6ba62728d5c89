import { readdir, readFile, stat } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openArchive } from '../../../../src/site/support/archive.ts';
import { itemLimit, supportItems } from '../../../../src/site/support/items.ts';
import { folderWith } from '../../../support/files.ts';

const FILES = { 'hosts/b/x.log': 'password=Hidden-77x\n', 'hosts/a/x.log': 'fine\n', 'cluster/UNREACHABLE.txt': 'no\n' };

async function written(names: readonly (keyof typeof FILES)[]): Promise<{ folder: string; path: string }> {
  const folder = await folderWith();
  const path = join(folder, 'a.tar.gz');
  const archive = openArchive(path, new Date(0));
  await Promise.all(names.map((name) => archive.add(name, FILES[name])));
  await archive.finish();
  return { folder, path };
}

it('is the same archive whichever host answers first, in the order of the names, for its owner alone', async () => {
  const one = await written(['hosts/b/x.log', 'cluster/UNREACHABLE.txt', 'hosts/a/x.log']);
  const other = await written(['hosts/a/x.log', 'hosts/b/x.log', 'cluster/UNREACHABLE.txt']);
  expect((await readFile(one.path)).equals(await readFile(other.path))).toBe(true);
  const listed = spawnSync('tar', ['-tvzf', one.path], { encoding: 'utf8' }).stdout.trim().split('\n');
  expect(listed.map((line) => [line.slice(0, 10), line.split(' ').at(-1)])).toEqual(
    ['REDACTED.txt', 'cluster/UNREACHABLE.txt', 'hosts/a/x.log', 'hosts/b/x.log'].map((name) => ['-rw-------', name]),
  );
  expect((await stat(one.path)).mode & 0o777).toBe(0o600);
  expect(await readdir(one.folder)).toEqual(['a.tar.gz']);
  const text = spawnSync('tar', ['-xzOf', one.path, 'REDACTED.txt'], { encoding: 'utf8' }).stdout;
  expect(text).toMatch(/^ +1 {2}password, token or key +hosts\/b\/x\.log$/m);
});

it('leaves nothing behind when it is given up', async () => {
  const folder = await folderWith();
  const archive = openArchive(join(folder, 'a.tar.gz'));
  await archive.add('a', 'b');
  await archive.abort();
  expect(await readdir(folder)).toEqual([]);
});

it('has smaller files the more hosts there are, so that all together stay below 256 MiB', () => {
  expect(itemLimit(1)).toBe(2 * 1024 ** 2);
  expect(itemLimit(50) * supportItems(1).length * 50).toBeLessThanOrEqual(256 * 1024 ** 2);
});
