import { readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeWhole } from '../../src/core/write-whole.ts';
import { folderWith } from '../support/files.ts';

it('leaves one file, also over what a kill left', async () => {
  const folder = await folderWith({ a: 'before', 'a.part': 'half of what was meant to be longer' });
  await writeWhole(join(folder, 'a'), 'after');
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('after');
  expect(await readdir(folder)).toEqual(['a']);
});

it('writes through no link that somebody put there', async () => {
  const folder = await folderWith({ precious: 'untouched' });
  await symlink(join(folder, 'precious'), join(folder, 'a.part'));
  await expect(writeWhole(join(folder, 'a'), 'after')).rejects.toMatchObject({ code: 'ELOOP' });
  expect(await readFile(join(folder, 'precious'), 'utf8')).toBe('untouched');
});
