import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { paddedSize, TAR_BLOCK } from '../core/tar-header.ts';
import { UNFINISHED } from './foreign.ts';
import { needSpace } from './output-error.ts';
import { openJournal, type PackJournal } from './pack-journal.ts';
import { headerOf, type BundlePlan, type PlannedMember } from './plan.ts';
import { syncFolder } from './sync-folder.ts';

/** A bundle while it is being written: `<bundle>.part`, full size from the start, with its journal beside it. */
export interface PartFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly journal: PackJournal;
  /** Told how many bytes were received; now and then it has them brought to the disk, so that little is left at the end. */
  received(count: number): void;
  /** Makes it the bundle: all bytes on disk first, then the first header, then the name. */
  finish(): Promise<void>;
  /** Leaves it for the next run. */
  close(): Promise<void>;
}

/**
 * Opens or makes the partial file of a plan and writes all headers and every member whose bytes are known.
 * @throws DeliverError E_DISK_FULL when there is no room; errors of the file system as they are
 */
export async function openPart(plan: BundlePlan, target: string): Promise<PartFile> {
  const path = `${target}.part`;
  const journalPath = `${path}.journal`;
  const found = await stat(path).catch(() => undefined);
  await needSpace(path, plan.size - (found === undefined ? 0 : found.blocks * 512));
  const journal = await openJournal(journalPath, plan, found?.size === plan.size);
  const handle = await open(path, journal.finished.size > 0 ? 'r+' : 'w+', 0o644);
  const flusher = new Flusher(handle);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await journal.close();
    await flusher.idle;
    await handle.close();
  };
  try {
    await handle.chmod(0o644);
    await handle.truncate(plan.size);
    for (const member of plan.members) await writeKnown(handle, member);
  } catch (error) {
    await close();
    throw error;
  }
  const finish = async (): Promise<void> => {
    await flusher.idle;
    if (flusher.failure !== undefined) throw flusher.failure.error;
    await handle.sync();
    const [first] = plan.members;
    if (first !== undefined) await handle.write(headerOf(first), 0, TAR_BLOCK, 0);
    await handle.sync();
    await close();
    await rename(path, target);
    await rm(journalPath, { force: true });
    await syncFolder(dirname(target));
  };
  const received = (count: number): void => {
    flusher.received(count);
  };
  return { path, handle, journal, received, finish, close };
}

/** Bytes that may wait in memory of the operating system before the disk is set to work. */
const FLUSH_EVERY = 64 * 1024 * 1024;

/** Keeps the disk busy while more is received: one fdatasync at a time. */
class Flusher {
  readonly #handle: FileHandle;
  #waiting = 0;
  #busy = false;
  failure: { readonly error: unknown } | undefined;
  idle = Promise.resolve();

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  received(count: number): void {
    this.#waiting += count;
    if (this.#busy || this.#waiting < FLUSH_EVERY) return;
    this.#busy = true;
    this.#waiting = 0;
    const done = (): void => {
      this.#busy = false;
    };
    // fsync(2) tells a failed write-back only once, so whoever finishes the file has to hear it from here.
    const failed = (error: unknown): void => {
      this.#busy = false;
      this.failure ??= { error };
    };
    this.idle = this.#handle.datasync().then(done, failed);
  }
}

async function writeKnown(handle: FileHandle, member: PlannedMember): Promise<void> {
  const header = member.headerOffset === 0 ? Buffer.concat([UNFINISHED], TAR_BLOCK) : headerOf(member);
  const content = Buffer.concat([member.content ?? Buffer.alloc(0)], member.content === undefined ? 0 : paddedSize(member.size));
  await handle.writev([header, content], member.headerOffset);
}
