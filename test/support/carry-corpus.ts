import { createHash } from 'node:crypto';
import type { CarryManifest } from '../../src/carry/manifest.ts';
import {
  appended,
  duplicated,
  flip,
  flipped,
  flippedTwice,
  foreign,
  fromSet,
  isManifest,
  isParity,
  isVolume,
  manifestsOf,
  removed,
  renamed,
  special,
  swapped,
  swappedParts,
  truncated,
  zeroed,
  type CarryCase,
  type Change,
  type Material,
  type Scene,
} from './carry-accidents.ts';
import { bytesOf, forgedManifest, lyingText, refitted } from './carry-lies.ts';
import { Dice } from './corpus.ts';

const MIB = 1024 * 1024;

const CHANGES: readonly Change[] = [
  flipped(isVolume),
  flipped(isParity),
  flipped(isManifest),
  flippedTwice,
  truncated,
  appended,
  zeroed,
  swapped,
  swappedParts,
  fromSet('other'),
  fromSet('recut'),
  renamed,
  duplicated,
  foreign,
  removed,
  manifestsOf,
  special,
  lied,
  liedInText,
  firstIsNotLast,
  forgedVolume,
  patched,
  wrongPatch,
  mixed,
];

/** The cases of a carry set: for each number one, always the same; every third is two or three changes at once. */
export function carryCase(from: Material, number: number): CarryCase {
  const seed = createHash('sha256')
    .update(`carry ${String(number)}`)
    .digest()
    .readUInt32LE(0);
  const scene: Scene = { from, dice: new Dice(seed), files: new Map(from.good), specials: [] };
  const first = CHANGES[number % CHANGES.length] ?? truncated;
  const more = scene.dice.roll(3) === 0 ? [scene.dice.pick(CHANGES), scene.dice.pick(CHANGES)].slice(scene.dice.roll(2)) : [];
  const said = [first, ...more].map((change) => change(scene));
  return { name: `${String(number)}: ${said.join(', ')}`, files: scene.files, specials: scene.specials };
}

/** A manifest that was changed and made to fit itself again: its id is right, its signatures are by a stranger or the old ones. */
function lied(scene: Scene): string {
  const { what, carry } = forgedManifest(scene.from.carry, scene.dice);
  const [how, text] = signedSomehow(scene, carry);
  for (const end of ['carry.json', 'carry.end.json']) scene.files.set(`noise-1.0.tar.${end}`, text);
  return `the manifest says ${what}, ${how}`;
}

/** A manifest as text that no writer would make. */
function liedInText(scene: Scene): string {
  const text = scene.from.good.get('noise-1.0.tar.carry.json')?.toString() ?? '';
  const lie = lyingText(text, scene.dice);
  for (const end of ['carry.json', 'carry.end.json']) scene.files.set(`noise-1.0.tar.${end}`, lie.bytes);
  return `the manifest has ${lie.what}`;
}

function firstIsNotLast(scene: Scene): string {
  const { what, carry } = forgedManifest(scene.from.carry, scene.dice);
  const [how, text] = scene.dice.pick([
    signedSomehow(scene, carry),
    signedSomehow(scene, scene.from.carry),
    [
      'with a signature over something else',
      bytesOf({ ...scene.from.carry, signatures: carry.signatures.map(crooked) }),
    ] as const,
  ]);
  const end = scene.dice.pick(['carry.json', 'carry.end.json']);
  scene.files.set(`noise-1.0.tar.${end}`, text);
  return `${end} alone says ${what}, ${how}`;
}

/** A volume with other content, and a manifest that vouches for it. */
function forgedVolume(scene: Scene): string {
  const at = scene.dice.roll(3);
  const volume = scene.from.carry.volumes[at];
  const bytes = flip(Buffer.from(scene.from.good.get(volume?.name ?? '') ?? ''), scene.dice);
  const leaf = createHash('sha256').update(bytes).digest('hex');
  const volumes = scene.from.carry.volumes.map((one, index) => (index === at ? { ...one, sha256: leaf, leaves: [leaf] } : one));
  const [how, text] = signedSomehow(scene, refitted({ ...scene.from.carry, volumes }));
  scene.files.set(volume?.name ?? '', bytes);
  for (const end of ['carry.json', 'carry.end.json']) scene.files.set(`noise-1.0.tar.${end}`, text);
  return `volume ${String(at)} forged, its manifest ${how}`;
}

/** What a patch is there for: its MiB is lost, and two more in the same row. */
function patched(scene: Scene): string {
  scene.files.set(scene.from.patch[0], scene.from.patch[1]);
  const lost = ['noise-1.0.tar.v002', 'noise-1.0.tar.p001', 'noise-1.0.tar.p002'].slice(0, 1 + scene.dice.roll(3));
  for (const name of lost) scene.files.delete(name);
  return `${lost.join(', ')} lost, and a patch`;
}

function wrongPatch(scene: Scene): string {
  const said = patched(scene);
  const [name, good] = scene.from.patch;
  const content = good.subarray(good.indexOf(0x0a) + 1);
  const header = (leaves: unknown, carry: unknown = scene.from.carry.id): Buffer =>
    Buffer.concat([Buffer.from(`${JSON.stringify({ apiVersion: 'deliver-patch/v1', carry, leaves })}\n`), content]);
  const [what, bytes] = scene.dice.pick<readonly [string, Buffer]>([
    ['a bit flipped', flip(Buffer.from(good), scene.dice)],
    ['its end lost', good.subarray(0, scene.dice.roll(good.length))],
    ['a MiB that is another', header([[scene.dice.roll(4), 1]])],
    ['a MiB past the end', header([[scene.dice.pick([3, 1000, 2 ** 52, 2 ** 53]), 1]])],
    ['more than there is', header([[0, scene.dice.pick([4, 2 ** 31, Number.MAX_SAFE_INTEGER])]])],
    ['the same MiB 100,000 times', header(Array.from({ length: 100_000 }, () => [1, 1]))],
    [
      'runs that overlap',
      header([
        [1, 2],
        [2, 1],
      ]),
    ],
    [
      'runs in disorder',
      header([
        [2, 1],
        [1, 1],
      ]),
    ],
    ['numbers that are none', header([[scene.dice.pick([-1, 0.5, null, '1', []]), 1]])],
    ['another carry set', header([[1, 1]], `sha256:${'0'.repeat(64)}`)],
    ['no line feed', Buffer.concat([Buffer.from('{"apiVersion":"deliver-patch/v1",'), Buffer.alloc(2 * MIB, 0x20)])],
    ['deep JSON', Buffer.concat([Buffer.from(`{"apiVersion":"deliver-patch/v1","carry":${'['.repeat(900_000)}\n`), content])],
    ['forged content', Buffer.concat([good.subarray(0, good.length - content.length), flip(Buffer.from(content), scene.dice)])],
  ]);
  scene.files.set(name, bytes);
  return `${said} with ${what}`;
}

/** Files of all three sets in one folder. */
function mixed(scene: Scene): string {
  const set = scene.dice.pick(['other', 'recut'] as const);
  const taken = [...scene.from[set]].filter(() => scene.dice.roll(2) === 0);
  for (const [name, bytes] of taken) scene.files.set(scene.dice.roll(2) === 0 ? name : `other-${name}`, bytes);
  return `${String(taken.length)} files of the ${set} set among it`;
}

function signedSomehow(scene: Scene, carry: CarryManifest): readonly [string, Buffer] {
  return scene.dice.pick<readonly [string, Buffer]>([
    ['not signed', bytesOf({ ...carry, signatures: [] })],
    ['with the old signatures', bytesOf(carry)],
    ['signed by a stranger', bytesOf(scene.from.sign({ ...carry, signatures: [] }))],
  ]);
}

function crooked(armored: string): string {
  return armored.replace(/\n.{8}/, '\nAAAABBBB');
}
