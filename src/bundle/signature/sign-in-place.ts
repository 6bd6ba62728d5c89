import { open, type FileHandle } from 'node:fs/promises';
import { DeliverError, messageOf, systemCode } from '../../core/errors.ts';
import type { Bundle } from '../bundle.ts';
import { fileSource, readAt } from '../byte-source.ts';
import { lockOutput } from '../pack-lock.ts';
import { headerOf, type BundlePlan } from '../plan.ts';
import { endJournal, journalPath, readJournal, writeJournal, type Patch } from './sign-journal.ts';
import { ROOM_SIZE, type SignatureBlob } from './signature-room.ts';
import { withSignatures } from './with-signatures.ts';

/**
 * Adds signatures to a bundle where it lies: only index.json and the room change, and no byte moves. What is there now
 * goes to a journal first, so a kill at any moment leaves the old bundle, the new one, or one that `mendSigning` makes
 * the old one again.
 * @returns false when the bundle has them all already
 * @throws DeliverError E_BUNDLE when the room is full, E_OUTPUT when the file can't be written
 */
export async function signInPlace(bundle: Bundle, added: readonly SignatureBlob[]): Promise<boolean> {
  const known = new Set(bundle.signatures.map(({ armored }) => armored));
  const fresh = added.filter(({ armored }) => !known.has(armored) && known.add(armored));
  if (fresh.length === 0) return false;
  const after = withSignatures(bundle.plan, [...bundle.signatures, ...fresh]);
  await writing(bundle.path, async (handle) => {
    const patches = patchesOf(after);
    const source = fileSource(handle, bundle.path, bundle.size);
    const before: Patch[] = [];
    for (const { offset, bytes } of patches) before.push({ offset, bytes: await readAt(source, offset, bytes.length) });
    await writeJournal(bundle.path, bundle.size, before);
    await apply(handle, patches);
    await endJournal(bundle.path);
  });
  return true;
}

/**
 * Takes back a signing that was killed half way.
 * @returns true when there was one
 * @throws DeliverError E_OUTPUT when the file can't be written
 */
export async function mendSigning(path: string): Promise<boolean> {
  const journal = await readJournal(path);
  if (journal === undefined) return false;
  await writing(path, async (handle) => {
    const { size } = await handle.stat();
    if (size !== journal.size) {
      throw new DeliverError('E_BUNDLE', {
        what: `${journalPath(path)} is of another file than ${path}.`,
        why: `It is of a bundle of ${String(journal.size)} bytes; this one has ${String(size)}.`,
        fix: 'Remove the journal if the bundle was replaced since.',
      });
    }
    await apply(handle, journal.patches);
    await endJournal(path);
  });
  return true;
}

/** The bytes that signatures decide: index.json, and the room with its headers. */
function patchesOf(plan: BundlePlan): readonly Patch[] {
  const index = plan.members.find(({ name }) => name === 'index.json');
  const room = plan.members.filter(({ owners }) => owners[0] === 'signature' || owners[0] === 'room for signatures');
  const start = room[0]?.headerOffset;
  if (index?.content === undefined || start === undefined)
    throw new DeliverError('E_BUG', { what: 'The plan of a bundle has no room for signatures.' });
  const bytes = Buffer.alloc(ROOM_SIZE);
  for (const member of room) {
    bytes.set(headerOf(member), member.headerOffset - start);
    bytes.set(member.content ?? [], member.offset - start);
  }
  return [
    { offset: start, bytes },
    { offset: index.offset, bytes: Buffer.from(index.content) },
  ];
}

async function apply(handle: FileHandle, patches: readonly Patch[]): Promise<void> {
  for (const { offset, bytes } of patches) await handle.write(bytes, 0, bytes.length, offset);
  await handle.sync();
}

async function writing(path: string, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  let unlock: (() => Promise<void>) | undefined;
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r+');
    unlock = await lockOutput(path);
    await work(handle);
  } catch (error) {
    throw error instanceof DeliverError ? error : notWritable(path, error);
  } finally {
    await unlock?.();
    await handle?.close();
  }
}

function notWritable(path: string, error: unknown): DeliverError {
  const code = systemCode(error) ?? '';
  const isReadOnly = ['EROFS', 'EACCES', 'EPERM'].includes(code);
  return new DeliverError(code === 'ENOSPC' || code === 'EDQUOT' ? 'E_DISK_FULL' : 'E_OUTPUT', {
    what: `${path} can't be signed where it lies.`,
    why: isReadOnly ? `The medium or the folder can't be written (${code}).` : messageOf(error),
    fix: 'Copy the bundle to a folder that can be written, sign it there, and carry the copy.',
    cause: error,
  });
}
