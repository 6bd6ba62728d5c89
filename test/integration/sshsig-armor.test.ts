import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkSignature } from '../../src/bundle/signature/check-signature.ts';
import { parseTrustedKeys } from '../../src/bundle/signature/trusted-keys.ts';
import { Dice } from '../support/corpus.ts';
import { folderWith } from '../support/files.ts';
import { hasCommand } from '../support/has-command.ts';
import { signedBy, testKey } from '../support/signed-bundle.ts';

const key = testKey('release@corp');
const message = Buffer.from('{"the":"release manifest"}');
const good = signedBy(key, message);
const trusted = parseTrustedKeys(key.line, 'key');
const BEGIN = '-----BEGIN SSH SIGNATURE-----';
const END = '-----END SSH SIGNATURE-----';
const base64 = good.split('\n').slice(1, -2).join('');

function rewrapped(width: number, end = '\n'): string {
  return [BEGIN, ...(base64.match(new RegExp(`.{1,${String(width)}}`, 'g')) ?? []), END, ''].join(end);
}

/** The same signature with a byte of its inside changed. */
function inner(at: number, value: number): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes.writeUInt8(value, at);
  return `${BEGIN}\n${bytes.toString('base64')}\n${END}\n`;
}

const VARIANTS: readonly (readonly [string, string])[] = [
  ['as it was made', good],
  ['CR LF', rewrapped(70, '\r\n')],
  ['CR alone', rewrapped(70, '\r')],
  ['one line', rewrapped(10_000)],
  ['lines of 1', rewrapped(1)],
  ['lines of 64', rewrapped(64)],
  ['lines of 76, CR LF', rewrapped(76, '\r\n')],
  ['no line feed at the end', good.trimEnd()],
  ['many line feeds at the end', `${good}\n\n\n`],
  ['a space at the end of each line', good.replaceAll('\n', ' \n')],
  ['tabs', good.replaceAll('\n', '\n\t')],
  ['a form feed', good.replace('\n', '\n\f')],
  ['no-break spaces', good.replace('\n', '\n\u00a0')],
  ['empty lines', good.replaceAll('\n', '\n\n')],
  ['a space before', ` ${good}`],
  ['a line feed before', `\n${good}`],
  ['a byte order mark', `\ufeff${good}`],
  ['text after', `${good}and more\n`],
  ['text after the last line', good.replace(END, `${END}xyz`)],
  ['two signatures', good + good],
  ['the last line joined', good.replace(`\n${END}`, END)],
  ['the first line joined', good.replace(`${BEGIN}\n`, BEGIN)],
  ['no first line', good.replace(BEGIN, '')],
  ['no last line', good.replace(END, '')],
  ['padding left out', good.replace(/=+\n/, '\n')],
  ['padding too much', good.replace(`\n${END}`, `==\n${END}`)],
  ['padding in the middle', good.replace(base64.slice(4, 8), '====')],
  ['a letter that is none', good.replace(base64.slice(4, 8), '*bad')],
  ['base64url', good.replaceAll('+', '-').replaceAll('/', '_').replaceAll('_', '-_')],
  ['version 0', inner(9, 0)],
  ['version 2', inner(9, 2)],
  [
    'something after its end',
    `${BEGIN}\n${Buffer.concat([Buffer.from(base64, 'base64'), Buffer.from('x')]).toString('base64')}\n${END}\n`,
  ],
  ['half of it', `${BEGIN}\n${base64.slice(0, base64.length / 2)}\n${END}\n`],
  ['nothing in it', `${BEGIN}\n${END}\n`],
  ['nothing', ''],
];

describe.skipIf(!hasCommand('ssh-keygen'))('armor, beside the real ssh-keygen', () => {
  async function byBoth(): Promise<(armored: string) => { ours: boolean; theirs: boolean }> {
    const folder = await folderWith({ allowed: `release ${key.line}` });
    const signature = join(folder, 'sig');
    const args = ['-Y', 'verify', '-f', join(folder, 'allowed'), '-I', 'release', '-n', 'deliver', '-s', signature];
    return (armored) => {
      writeFileSync(signature, armored);
      const ours = checkSignature(message, armored, trusted).verdict === 'trusted';
      try {
        execFileSync('ssh-keygen', args, { input: message, stdio: 'pipe', timeout: 20_000 });
        return { ours, theirs: true };
      } catch {
        return { ours, theirs: false };
      }
    };
  }

  it('is judged alike, whatever it was wrapped in', async () => {
    const judge = await byBoth();
    const verdicts = VARIANTS.map(([what, armored]) => ({ what, ...judge(armored) }));
    expect(verdicts.filter(({ ours, theirs }) => ours !== theirs)).toEqual([]);
    expect(verdicts.filter(({ ours }) => ours).length).toBeGreaterThan(10);
    expect(verdicts.filter(({ ours }) => !ours).length).toBeGreaterThan(10);
  });

  it('is judged alike when bytes of it are changed, lost or put in', async () => {
    const judge = await byBoth();
    const different: string[] = [];
    for (let number = 0; number < 150; number++) {
      const dice = new Dice(number);
      const at = dice.roll(good.length);
      const letter = dice.pick(['A', '\n', '\r', ' ', '=', '-', '\0', '+']);
      const armored = dice.pick([
        good.slice(0, at) + letter + good.slice(at),
        good.slice(0, at) + letter + good.slice(at + 1),
        good.slice(0, at) + good.slice(at + 1),
      ]);
      const { ours, theirs } = judge(armored);
      if (ours !== theirs)
        different.push(`${JSON.stringify(letter)} at ${String(at)} of ${String(number)}: ours ${String(ours)}`);
    }
    expect(different).toEqual([]);
  });
});
