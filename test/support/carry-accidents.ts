import type { CarryManifest } from '../../src/carry/manifest.ts';
import type { Dice } from './corpus.ts';

const MIB = 1024 * 1024;

/** What a case of the corpus is made from. All files are of one folder, by name. */
export interface Material {
  /** A whole carry set: three data volumes, the last one short, and two parity volumes of 1 MiB. */
  readonly good: ReadonlyMap<string, Buffer>;
  readonly carry: CarryManifest;
  /** The same bundle, cut otherwise. */
  readonly recut: ReadonlyMap<string, Buffer>;
  /** Another bundle by the same packager, cut like the first. */
  readonly other: ReadonlyMap<string, Buffer>;
  /** A patch volume for the first set. */
  readonly patch: readonly [name: string, bytes: Buffer];
  readonly bundle: Buffer;
  /** The one that the other set was cut from. */
  readonly otherBundle: Buffer;
  /** Signs a forged manifest as a stranger would. */
  sign(carry: CarryManifest): CarryManifest;
}

/** Something in the folder that is no plain file. */
export interface Special {
  readonly name: string;
  readonly kind: 'link' | 'fifo' | 'folder' | 'socket';
  readonly target?: string;
}

/** A changed carry set, and what was done to it. */
export interface CarryCase {
  readonly name: string;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly specials: readonly Special[];
}

/** A case that is being made. */
export interface Scene {
  readonly from: Material;
  readonly dice: Dice;
  readonly files: Map<string, Buffer>;
  readonly specials: Special[];
}

/** Changes a scene, and says how. */
export type Change = (scene: Scene) => string;

export function isManifest(name: string): boolean {
  return name.endsWith('.json');
}

export function isParity(name: string): boolean {
  return /\.p\d+$/.test(name);
}

export function isVolume(name: string): boolean {
  return /\.v\d+$/.test(name);
}

function anyFile({ files, dice }: Scene, fits: (name: string) => boolean = () => true): string {
  const names = [...files.keys()].filter(fits);
  return dice.pick(names.length > 0 ? names : [...files.keys(), 'nothing']);
}

function change({ files }: Scene, name: string, edit: (bytes: Buffer) => Buffer): void {
  files.set(name, edit(Buffer.from(files.get(name) ?? Buffer.alloc(0))));
}

export function flip(bytes: Buffer, dice: Dice): Buffer {
  if (bytes.length === 0) return bytes;
  const at = dice.roll(bytes.length);
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << dice.roll(8)), at);
  return bytes;
}

export function flipped(fits: (name: string) => boolean): Change {
  return (scene) => {
    const name = anyFile(scene, fits);
    change(scene, name, (bytes) => flip(bytes, scene.dice));
    return `a bit of ${name} flipped`;
  };
}

/** The same bit of both manifests: no copy is left that is right. */
export function flippedTwice(scene: Scene): string {
  const at = scene.dice.roll(2000);
  const bit = scene.dice.roll(8);
  for (const name of [...scene.files.keys()].filter(isManifest))
    change(scene, name, (bytes) => {
      if (at < bytes.length) bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
      return bytes;
    });
  return `bit ${String(bit)} of byte ${String(at)} of both manifests flipped`;
}

export function truncated(scene: Scene): string {
  const name = anyFile(scene);
  change(scene, name, (bytes) => bytes.subarray(0, scene.dice.pick([0, 1, scene.dice.roll(bytes.length + 1), bytes.length - 1])));
  return `${name} cut short`;
}

export function appended(scene: Scene): string {
  const name = anyFile(scene);
  const more = scene.dice.pick([
    Buffer.from('\n'),
    Buffer.alloc(512),
    Buffer.from('{}'),
    scene.files.get(name) ?? Buffer.alloc(1),
  ]);
  change(scene, name, (bytes) => Buffer.concat([bytes, more]));
  return `${String(more.length)} bytes at the end of ${name}`;
}

export function zeroed(scene: Scene): string {
  const name = anyFile(scene);
  const length = scene.dice.pick([1, 64, 4096, MIB]);
  change(scene, name, (bytes) => {
    const start = scene.dice.roll(bytes.length + 1);
    return bytes.fill(0, start, Math.min(start + length, bytes.length));
  });
  return `${String(length)} zeros in ${name}`;
}

export function swapped(scene: Scene): string {
  const [a, b] = [anyFile(scene), anyFile(scene)];
  const [ofA, ofB] = [scene.files.get(a), scene.files.get(b)];
  if (ofA !== undefined && ofB !== undefined) scene.files.set(a, ofB).set(b, ofA);
  return `${a} and ${b} swapped`;
}

export function swappedParts(scene: Scene): string {
  const [a, b] = [anyFile(scene, isVolume), anyFile(scene, (name) => isVolume(name) || isParity(name))];
  const [ofA, ofB] = [Buffer.from(scene.files.get(a) ?? ''), Buffer.from(scene.files.get(b) ?? '')];
  const start = scene.dice.roll(1 + Math.min(ofA.length, ofB.length));
  const end = start + scene.dice.roll(1 + Math.min(ofA.length, ofB.length) - start);
  const kept = Buffer.from(ofA.subarray(start, end));
  ofA.set(ofB.subarray(start, end), start);
  ofB.set(kept, start);
  scene.files.set(a, ofA).set(b, ofB);
  return `bytes ${String(start)} to ${String(end)} of ${a} and ${b} swapped`;
}

export function fromSet(set: 'other' | 'recut'): Change {
  return (scene) => {
    const name = anyFile(scene, (one) => !isManifest(one));
    const taken = scene.dice.pick([...scene.from[set]].filter(([one]) => !isManifest(one)));
    scene.files.set(name, taken[1]);
    return `${name} is ${taken[0]} of the ${set} set`;
  };
}

const NAMES = [
  '8F3A0C.BIN',
  '-rf',
  '..v001',
  'x.part',
  'x.part.lock',
  '$(id)',
  'a\nb',
  '\u202egpj.v001',
  'ü',
  '.hidden',
  'x'.repeat(255),
];

export function renamed(scene: Scene): string {
  const name = anyFile(scene);
  const to = scene.dice.pick([...NAMES, name.toUpperCase(), `${name}.part`, `${name}~`, `copy of ${name}`]);
  const bytes = scene.files.get(name);
  scene.files.delete(name);
  if (bytes !== undefined) scene.files.set(to, bytes);
  return `${name} renamed to ${JSON.stringify(to)}`;
}

export function duplicated(scene: Scene): string {
  const name = anyFile(scene);
  const to = scene.dice.pick([name.toUpperCase(), `${name}.copy`, 'x', anyFile(scene)]);
  scene.files.set(to, scene.files.get(name) ?? Buffer.alloc(0));
  return `${name} again as ${to}`;
}

export function foreign(scene: Scene): string {
  const [name, bytes] = scene.dice.pick<readonly [string, Buffer]>([
    ['autorun.inf', Buffer.from('hello')],
    ['empty', Buffer.alloc(0)],
    ['noise-1.0.tar', scene.from.bundle],
    ['cut.tar', scene.from.bundle.subarray(0, MIB)],
    ['start.json', Buffer.from('{"apiVersion":"deliver-carry/v1",')],
    ['start.dp', Buffer.from('{"apiVersion":"deliver-patch/v1",')],
    ['noise-1.0.tar.v004', Buffer.alloc(MIB, 7)],
    ['noise-1.0.tar.p003', Buffer.alloc(MIB)],
  ]);
  scene.files.set(name, bytes);
  return `${name} beside it`;
}

export function removed(scene: Scene): string {
  const gone = Array.from({ length: 1 + scene.dice.roll(4) }, () => anyFile(scene));
  for (const name of gone) scene.files.delete(name);
  return `without ${gone.join(', ')}`;
}

export function manifestsOf(scene: Scene): string {
  const set = scene.dice.pick(['other', 'recut'] as const);
  const which = scene.dice.pick([['carry.json'], ['carry.end.json'], ['carry.json', 'carry.end.json']]);
  for (const end of which)
    scene.files.set(`noise-1.0.tar.${end}`, scene.from[set].get(`noise-1.0.tar.${end}`) ?? Buffer.alloc(0));
  return `${which.join(' and ')} of the ${set} set`;
}

export function special(scene: Scene): string {
  const file = anyFile(scene);
  // What repair writes is there already: under a name that it makes, or in the place of its lock.
  const name = scene.dice.pick([file, 'extra', `${file}.part`, 'noise-1.0.tar.carry.json.part.lock']);
  if (name === `${file}.part`) scene.files.delete(file);
  const made = scene.dice.pick<Omit<Special, 'name'>>([
    { kind: 'fifo' },
    { kind: 'folder' },
    { kind: 'socket' },
    { kind: 'link', target: '/dev/zero' },
    { kind: 'link', target: '../canary' },
    { kind: 'link', target: name },
    { kind: 'link', target: 'nowhere' },
  ]);
  scene.files.delete(name);
  if (!scene.specials.some((one) => one.name === name)) scene.specials.push({ name, ...made });
  return `${name} is a ${made.kind} ${made.target ?? ''}`;
}
