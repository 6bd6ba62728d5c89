import { join } from 'node:path';
import { expect, it } from 'vitest';
import { accountsIn, Netrc } from '../../../src/store/netrc.ts';
import { folderWith } from '../../support/files.ts';

const shown = (text: string): string[] =>
  [...accountsIn(text)].map(([host, { username, password }]) => `${host} ${username}:${password.reveal()}`);

it.each([
  ['one line', 'machine a.example login me password hunter22', ['a.example me:hunter22']],
  ['many lines in another order', 'machine a.example\n\tpassword hunter22\n\taccount x\n\tlogin me\n', ['a.example me:hunter22']],
  [
    'comments, quotes and spaces',
    '# mine\nmachine a.example login me password "two \\"words\\""\n',
    ['a.example me:two "words"'],
  ],
  ['words of the language as values', 'machine login login password password machine', ['login password:machine']],
  ['the first of two', 'machine a login x password 1111\nmachine a login y password 2222', ['a x:1111']],
  [
    'a macro, which holds no account',
    'macdef init\nmachine b login x password 1\n\nmachine a login x password 1111',
    ['a x:1111'],
  ],
  ['half an entry', 'machine a login x\nmachine b password 1111', []],
])('reads %s', (_, text, accounts) => {
  expect(shown(text)).toEqual(accounts);
});

it('gives the account of `default` to nobody', async () => {
  const folder = await folderWith({ netrc: 'machine a login x password 1111\ndefault login y password 2222\n' });
  const netrc = new Netrc({ NETRC: join(folder, 'netrc') });
  expect((await netrc.find('a'))?.username).toBe('x');
  expect(await netrc.find('elsewhere.example')).toBeUndefined();
});

it('is nothing where there is no file, and never shows a password', async () => {
  expect(await new Netrc({ HOME: await folderWith() }).find('a')).toBeUndefined();
  expect(JSON.stringify([...accountsIn('machine a login x password hunter22')])).not.toContain('hunter22');
});
