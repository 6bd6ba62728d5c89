import { createHash } from 'node:crypto';
import type { BundlePlan, PlannedMember } from '../../src/bundle/plan.ts';
import { encodeTarHeader, paddedSize, TAR_BLOCK } from '../../src/core/tar-header.ts';
import { tarMember, withChecksum } from './tar-builder.ts';

/** A changed archive, and what was done to it. */
export interface Mutant {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Numbers that look random and are the same on every run. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 … below - 1. (xorshift32, Marsaglia 2003) */
  roll(below: number): number {
    let x = this.#state === 0 ? 0x9e3779b9 : this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state % below;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.roll(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}

type Change = (good: Buffer, plan: BundlePlan, dice: Dice) => Mutant;

const CHANGES: readonly Change[] = [
  flipIn('header', ({ headerOffset }) => [headerOffset, TAR_BLOCK]),
  flipIn('content', ({ offset, size }) => [offset, size]),
  flipIn('padding', ({ offset, size }) => [offset + size, paddedSize(size) - size]),
  flipInEnd,
  truncated,
  appended,
  swapped,
  duplicated,
  removed,
  headerLie,
  otherName,
  otherType,
  inserted,
  zeroed,
  shifted,
  renamedToFit,
];

/** The mutants of a good archive: for each number one, always the same; some kinds come up as often as others. */
export function mutant(good: Buffer, plan: BundlePlan, number: number): Mutant {
  const dice = new Dice(
    createHash('sha256')
      .update(`mutant ${String(number)}`)
      .digest()
      .readUInt32LE(0),
  );
  const change = CHANGES[number % CHANGES.length] ?? truncated;
  for (;;) {
    const { name, bytes } = change(good, plan, dice);
    // Zeroing zeros and swapping a member with itself is no change.
    if (!bytes.equals(good)) return { name: `${String(number)}: ${name}`, bytes };
  }
}

function flipIn(what: string, range: (member: PlannedMember) => readonly [number, number]): Change {
  return (good, plan, dice) => {
    const places = plan.members.filter((member) => range(member)[1] > 0);
    const member = dice.pick(places);
    const [start, length] = range(member);
    return flip(good, start + dice.roll(length), dice, `${what} of ${member.owners[0] ?? ''}`);
  };
}

function flipInEnd(good: Buffer, _plan: BundlePlan, dice: Dice): Mutant {
  return flip(good, good.length - 1 - dice.roll(2 * TAR_BLOCK), dice, 'end');
}

function flip(good: Buffer, at: number, dice: Dice, where: string): Mutant {
  const bit = dice.roll(8);
  return changed(good, `bit ${String(bit)} of byte ${String(at)}, ${where}`, (bytes) => {
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
  });
}

function truncated(good: Buffer, _plan: BundlePlan, dice: Dice): Mutant {
  const lost = dice.roll(3) === 0 ? TAR_BLOCK * (1 + dice.roll(good.length / TAR_BLOCK - 1)) : 1 + dice.roll(good.length - 1);
  return { name: `the last ${String(lost)} bytes lost`, bytes: good.subarray(0, -lost) };
}

function appended(good: Buffer, _plan: BundlePlan, dice: Dice): Mutant {
  const more = dice.pick([
    Buffer.alloc(1),
    Buffer.from('\n'),
    Buffer.alloc(TAR_BLOCK),
    Buffer.alloc(9216),
    Buffer.from('#!/bin/sh\n'),
    good,
  ]);
  return { name: `${String(more.length)} bytes appended`, bytes: Buffer.concat([good, more]) };
}

function swapped(good: Buffer, plan: BundlePlan, dice: Dice): Mutant {
  const members = plan.members.map((member) => memberBytes(good, member));
  const [a, b] = [dice.roll(members.length), dice.roll(members.length)];
  [members[a], members[b]] = [members[b] ?? Buffer.alloc(0), members[a] ?? Buffer.alloc(0)];
  return { name: `members ${String(a)} and ${String(b)} swapped`, bytes: archive(members) };
}

function duplicated(good: Buffer, plan: BundlePlan, dice: Dice): Mutant {
  const members = plan.members.map((member) => memberBytes(good, member));
  const a = dice.roll(members.length);
  const b = dice.roll(members.length + 1);
  members.splice(b, 0, members[a] ?? Buffer.alloc(0));
  return { name: `member ${String(a)} again at ${String(b)}`, bytes: archive(members) };
}

function removed(good: Buffer, plan: BundlePlan, dice: Dice): Mutant {
  const gone = dice.roll(plan.members.length);
  const members = plan.members.filter((_, at) => at !== gone).map((member) => memberBytes(good, member));
  return { name: `member ${String(gone)} removed`, bytes: archive(members) };
}

function headerLie(good: Buffer, plan: BundlePlan, dice: Dice): Mutant {
  const member = dice.pick(plan.members);
  const [name, at, text] = dice.pick<readonly [string, number, string]>([
    ['size 0', 124, '00000000000\0'],
    ['size one more', 124, `${(member.size + 1).toString(8).padStart(11, '0')}\0`],
    ['huge size', 124, '77777777777\0'],
    ['size with spaces', 124, `${member.size.toString(8).padStart(11, ' ')} `],
    ['base-256 size', 124, '\x80\0\0\0\0\0\0\0\0\0\x10\0'],
    ['negative size', 124, '\xff'.repeat(12)],
    ['set-uid', 100, '0004755\0'],
    ['owner', 108, '0001750\0'],
    ['time', 136, '14371573350\0'],
    ['user name', 265, 'root\0'],
    ['GNU magic', 257, 'ustar  \0'],
    ['prefix', 345, 'etc\0'],
    ['link name', 157, '/etc/passwd\0'],
    ['spare bytes', 500, 'x'],
    ['old type flag', 156, '\0'],
  ]);
  return header(good, member, name, (block) => block.write(text, at, 'latin1'));
}

function otherName(good: Buffer, plan: BundlePlan, dice: Dice): Mutant {
  const member = dice.pick(plan.members);
  const name = dice.pick([
    '/etc/passwd',
    '../../etc/passwd',
    `./${member.name}`,
    `${member.name}/`,
    'index.json',
    'x',
    member.name.toUpperCase(),
    '~',
    ' ',
    'deliver.room',
  ]);
  return header(good, member, `the name “${name}”`, (block) => block.fill(0, 0, 100).write(name, 0, 100, 'latin1'));
}

function otherType(good: Buffer, plan: BundlePlan, dice: Dice): Mutant {
  const type = dice.pick(['1', '2', '3', '4', '5', '6', '7', 'x', 'g', 'L', 'S', 'Z']);
  return header(good, dice.pick(plan.members), `type ${type}`, (block) => block.write(type, 156, 'latin1'));
}

function inserted(good: Buffer, plan: BundlePlan, dice: Dice): Mutant {
  const raw = dice.pick([
    { name: '/etc/cron.d/x', content: Buffer.from('* * * * * root x\n') },
    { name: 'blobs/../../x', content: Buffer.from('x') },
    { name: 'blobs/sha256/', type: '5' },
    { name: 'link', type: '2', linkName: '/etc/shadow' },
    { name: 'PaxHeaders/x', type: 'x', content: Buffer.from('30 path=/etc/passwd\n') },
    { name: '././@LongLink', type: 'L', content: Buffer.from('index.json') },
    { name: 'deliver.room', content: Buffer.alloc(512) },
    { name: `blobs/sha256/${createHash('sha256').update('x').digest('hex')}`, content: Buffer.from('x') },
  ]);
  const members = plan.members.map((member) => memberBytes(good, member));
  const at = dice.roll(members.length + 1);
  members.splice(at, 0, tarMember(raw));
  return { name: `${raw.name} inserted at ${String(at)}`, bytes: archive(members) };
}

function zeroed(good: Buffer, _plan: BundlePlan, dice: Dice): Mutant {
  const start = dice.roll(good.length);
  const length = 1 + dice.roll(2000);
  return changed(good, `${String(length)} zeros at ${String(start)}`, (bytes) =>
    bytes.fill(0, start, Math.min(start + length, bytes.length)),
  );
}

function shifted(good: Buffer, _plan: BundlePlan, dice: Dice): Mutant {
  const at = dice.roll(good.length);
  const count = dice.pick([1, 511, 512]);
  const bytes =
    dice.roll(2) === 0
      ? [good.subarray(0, at), Buffer.alloc(count), good.subarray(at)]
      : [good.subarray(0, at), good.subarray(at + count)];
  return { name: `${String(count)} bytes in or out at ${String(at)}`, bytes: Buffer.concat(bytes) };
}

/** Other content under a name that is right for it: only the pins of the root can tell. */
function renamedToFit(good: Buffer, plan: BundlePlan, dice: Dice): Mutant {
  const member = dice.pick(plan.members.filter(({ digest, size }) => digest !== undefined && size > 0));
  const at = member.offset + dice.roll(member.size);
  return changed(good, `${member.owners[0] ?? ''} changed at ${String(at)} and renamed to fit`, (bytes) => {
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    const content = bytes.subarray(member.offset, member.offset + member.size);
    const name = `blobs/sha256/${createHash('sha256').update(content).digest('hex')}`;
    Buffer.from(encodeTarHeader(name, member.size)).copy(bytes, member.headerOffset);
  });
}

function header(good: Buffer, { headerOffset, owners }: PlannedMember, what: string, change: (block: Buffer) => unknown): Mutant {
  return changed(good, `${what} for ${owners[0] ?? ''}`, (bytes) => {
    const block = bytes.subarray(headerOffset, headerOffset + TAR_BLOCK);
    change(block);
    withChecksum(block);
  });
}

function changed(good: Buffer, name: string, change: (bytes: Buffer) => unknown): Mutant {
  const bytes = Buffer.from(good);
  change(bytes);
  return { name, bytes };
}

function memberBytes(good: Buffer, { headerOffset, offset, size }: PlannedMember): Buffer {
  return good.subarray(headerOffset, offset + paddedSize(size));
}

function archive(members: readonly Buffer[]): Buffer {
  return Buffer.concat([...members, Buffer.alloc(2 * TAR_BLOCK)]);
}
