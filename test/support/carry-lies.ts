import { manifestBytes, withId, type CarryManifest } from '../../src/carry/manifest.ts';
import { digestOf } from '../../src/core/digest.ts';
import type { Dice } from './corpus.ts';

const MIB = 1024 * 1024;

/** A carry manifest of which nothing is promised. */
type Loose = { -readonly [Key in keyof CarryManifest]: CarryManifest[Key] };
type Volume = CarryManifest['volumes'][number];

/** The bytes of a manifest, whatever it says. */
export function bytesOf(carry: CarryManifest): Buffer {
  return Buffer.from(manifestBytes(carry));
}

/** A carry manifest with something wrong in it whose id is right again. */
export function forgedManifest(good: CarryManifest, dice: Dice): { readonly what: string; readonly carry: CarryManifest } {
  const carry: Loose = structuredClone(good);
  const what = dice.pick([sizes, counts, leafLists, volumeNames, words, parities])(carry, dice);
  return { what, carry: refitted(carry) };
}

/** The same with the id that fits. */
export function refitted({ id: _, signatures, ...body }: CarryManifest): CarryManifest {
  return { ...withId(body), signatures };
}

function sizes(carry: Loose, dice: Dice): string {
  const size = dice.pick([0, 1, -1, 0.5, MIB, carry.bundle.size - 1, carry.bundle.size + 1, 2 ** 40, 2 ** 53 - 1, 1e300]);
  const where = dice.pick(['bundle.size', 'volumeSize', 'leafSize', 'size of a volume', 'size of a parity volume'] as const);
  if (where === 'bundle.size') carry.bundle = { ...carry.bundle, size };
  else if (where === 'volumeSize') carry.volumeSize = size;
  else if (where === 'leafSize') Object.assign(carry, { leafSize: size });
  else if (where === 'size of a volume') edit(carry, dice, (volume) => ({ ...volume, size }));
  else carry.parity = { ...carry.parity, volumes: carry.parity.volumes.map((volume) => ({ ...volume, size })) };
  return `${where} ${String(size)}`;
}

function counts(carry: Loose, dice: Dice): string {
  const [what, volumes] = dice.pick<readonly [string, Volume[]]>([
    ['no volumes', []],
    ['a volume less', carry.volumes.slice(1)],
    ['a volume twice', [...carry.volumes, ...carry.volumes.slice(0, 1)]],
    ['volumes in another order', carry.volumes.toReversed()],
    ['a volume more', [...carry.volumes, ...renumbered(carry.volumes.slice(0, 1), 'more')]],
    ['300 volumes', renumbered(Array.from({ length: 300 }, () => carry.volumes[0]).filter(isVolume), 'many')],
    ['parity volumes as data', [...carry.volumes, ...carry.parity.volumes]],
  ]);
  carry.volumes = volumes;
  // Sometimes with a size to match, so that only the content can tell.
  if (dice.roll(2) === 0) carry.bundle = { ...carry.bundle, size: volumes.reduce((sum, { size }) => sum + size, 0) };
  return what;
}

function parities(carry: Loose, dice: Dice): string {
  const { volumes } = carry.parity;
  const [what, listed] = dice.pick<readonly [string, Volume[]]>([
    ['no parity', []],
    ['one parity volume', volumes.slice(0, 1)],
    ['parity in another order', volumes.toReversed()],
    ['three parity volumes', [...volumes, ...renumbered(volumes.slice(0, 1), 'more')]],
    ['254 parity volumes', renumbered(Array.from({ length: 254 }, () => volumes[0]).filter(isVolume), 'many')],
    ['a data volume as parity', [...volumes.slice(0, 1), ...renumbered(carry.volumes.slice(0, 1), 'data')]],
    ['parity of other hashes', volumes.map((volume) => ({ ...volume, sha256: '0'.repeat(64), leaves: ['0'.repeat(64)] }))],
  ]);
  carry.parity = { ...carry.parity, volumes: listed };
  if (dice.roll(8) === 0) Object.assign(carry.parity, { code: 'vandermonde' });
  return what;
}

function leafLists(carry: Loose, dice: Dice): string {
  const [what, change] = dice.pick<readonly [string, (volume: Volume) => Volume]>([
    ['no leaves', (volume) => ({ ...volume, leaves: [] })],
    ['a leaf more', (volume) => ({ ...volume, leaves: [...volume.leaves, '0'.repeat(64)] })],
    ['another leaf', (volume) => ({ ...volume, leaves: ['0'.repeat(64)] })],
    ['leaves of another volume', (volume) => ({ ...volume, leaves: carry.volumes[1]?.leaves ?? [] })],
    ['another sha256', (volume) => ({ ...volume, sha256: 'f'.repeat(64) })],
    ['100,000 leaves', (volume) => ({ ...volume, leaves: Array.from({ length: 100_000 }, () => 'a'.repeat(64)) })],
    ['leaves that are none', (volume) => ({ ...volume, leaves: ['', 'x', '../..'] })],
  ]);
  edit(carry, dice, change);
  return what;
}

function volumeNames(carry: Loose, dice: Dice): string {
  const name = dice.pick([
    '../escaped.v001',
    '/tmp/escaped.v001',
    'a/b',
    '..',
    '.',
    '',
    '-rf',
    '.hidden',
    'x.part',
    'x.part.lock',
    'noise-1.0.tar',
    'noise-1.0.tar.carry.json',
    'NOISE-1.0.TAR.V002',
    'nul\0byte',
    'line\nbreak',
    '\u001b[2J',
    'x'.repeat(300),
  ]);
  edit(carry, dice, (volume) => ({ ...volume, name }));
  return `a volume named ${JSON.stringify(name.slice(0, 30))}`;
}

function words(carry: Loose, dice: Dice): string {
  const word = dice.pick([
    '../../evil.tar',
    'a/b',
    '..',
    '',
    '\u001b[2Jx',
    '$(id).tar',
    "it's.tar",
    'x'.repeat(300),
    '\u202erat.x',
    '9.9',
  ]);
  const where = dice.pick(['bundle.name', 'release.name', 'release.version', 'root', 'previous', 'apiVersion', 'extra'] as const);
  if (where === 'bundle.name') carry.bundle = { ...carry.bundle, name: word };
  else if (where === 'release.name') carry.release = { ...carry.release, name: word };
  else if (where === 'release.version') carry.release = { ...carry.release, version: word };
  else if (where === 'root') carry.root = digestOf(word);
  else Object.assign(carry, { [where]: word });
  return `${where} ${JSON.stringify(word.slice(0, 30))}`;
}

function edit(carry: Loose, dice: Dice, change: (volume: Volume) => Volume): void {
  const chosen = dice.roll(carry.volumes.length);
  carry.volumes = carry.volumes.map((volume, at) => (at === chosen ? change(volume) : volume));
}

function renumbered(volumes: readonly Volume[], mark: string): Volume[] {
  return volumes.map((volume, at) => ({ ...volume, name: `${mark}${String(at)}.v001` }));
}

function isVolume(volume: Volume | undefined): volume is Volume {
  return volume !== undefined;
}

/** The text of a manifest with something in it that no writer would write. */
export function lyingText(text: string, dice: Dice): { readonly what: string; readonly bytes: Buffer } {
  const many = (item: string, size = MIB): string => item.repeat(Math.floor(size / item.length));
  const number = dice.pick(['1e308', '-1', '18446744073709551616', '0.5', '"1"', 'null', 'NaN', '1E400', '0x10', '[[]]']);
  const edits: readonly (readonly [string, () => string | Buffer])[] = [
    [`the number ${number}`, () => text.replace(/"size":\d+/, `"size":${number}`)],
    [`volumeSize ${number}`, () => text.replace(/"volumeSize":\d+/, `"volumeSize":${number}`)],
    ['a key twice', () => text.replace('"leafSize"', '"leafSize":1048576,"leafSize"')],
    ['another order', () => `${text.slice(0, -1).replace(/"leafSize":1048576,/, '')},"leafSize":1048576}`],
    ['white space', () => text.replace('"volumes":[', '"volumes": [')],
    ['a line feed at the end', () => `${text}\n`],
    ['something at the end', () => `${text}{}`],
    ['a byte order mark', () => `\ufeff${text}`],
    [
      'bytes that are no UTF-8',
      () => Buffer.concat([Buffer.from(text.slice(0, 60)), Buffer.from([0xc3, 0x28]), Buffer.from(text.slice(62))]),
    ],
    ['__proto__', () => text.replace('"leafSize"', '"__proto__":{"id":"x"},"leafSize"')],
    ['a key that nobody knows', () => text.replace('"leafSize"', '"k":1,"leafSize"')],
    [
      '100,000 keys that nobody knows',
      () => text.replace('"leafSize"', `${Array.from({ length: 100_000 }, (_, at) => `"k${String(at)}":0,`).join('')}"leafSize"`),
    ],
    ['deep lists', () => text.replace('"volumes":[', `"volumes":[${many('[')}`)],
    ['deep objects', () => text.replace('"leafSize"', `"k":${many('{"a":')}"leafSize"`)],
    ['a million leaves that are none', () => text.replace('"leaves":[', `"leaves":[${many('0,', 2 * MIB)}`)],
    ['a million volumes that are none', () => text.replace('"volumes":[', `"volumes":[${many('{},', 3 * MIB)}`)],
    ['signatures without end', () => text.replace('"signatures":[', `"signatures":[${many('"",')}`)],
    ['a signature without end', () => text.replace('"signatures":[', `"signatures":["${many('A')}",`)],
    [
      '65 signatures',
      () =>
        text.replace(
          /"signatures":\[(".*?")\]/,
          (_all, one: string) => `"signatures":[${Array.from({ length: 65 }, () => one).join(',')}]`,
        ),
    ],
    ['a name without end', () => text.replace('"name":"', `"name":"${many('n')}`)],
    ['escapes', () => text.replace('noise', '\\u006eoise')],
  ];
  const [what, make] = dice.pick(edits);
  return { what, bytes: Buffer.from(make()) };
}
