import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../core/errors.ts';
import { paddedSize, TAR_BLOCK } from '../core/tar-header.ts';
import { UNFINISHED } from './foreign.ts';
import { needSpace } from './output-error.ts';
import { openJournal, type PackJournal } from './pack-journal.ts';
import { PartBytes } from './part-bytes.ts';
import { headerOf, type BundlePlan, type PlannedMember } from './plan.ts';
import { syncFolder } from './sync-folder.ts';
import { WriteBack } from './write-back.ts';

/** A bundle while it is being written: `<bundle>.part`, full size from the start, with its journal beside it. */
export interface PartFile {
  readonly path: string;
  readonly bytes: PartBytes;
  readonly journal: PackJournal;
  /** Told how many bytes were received; now and then it has them brought to the disk, so that little is left at the end. */
  received(count: number): void;
  /** Makes it the bundle: all bytes on disk first, then the first header, then the name. */
  finish(): Promise<void>;
  /** Leaves it for the next run. */
  close(): Promise<void>;
}

/** Which files a bundle is written into. */
export interface PartLayout {
  /** Of the files, in order, with `.part`. */
  readonly paths: readonly string[];
  /** Bytes of every file but the last. */
  readonly volumeSize: number;
  readonly journalPath: string;
  /** Bytes that will be needed beside them. */
  readonly more?: number;
  /** Gives all the final names; the files are whole, on the disk, and still open. */
  publish(handles: readonly FileHandle[]): Promise<void>;
}

/**
 * Opens or makes the partial file of a plan and writes all headers and every member whose bytes are known.
 * @throws DeliverError E_DISK_FULL when there is no room; errors of the file system as they are
 */
export async function openPart(plan: BundlePlan, target: string): Promise<PartFile> {
  const path = `${target}.part`;
  return openParts(plan, {
    paths: [path],
    volumeSize: plan.size,
    journalPath: `${path}.journal`,
    publish: () => rename(path, target),
  });
}

/** The same in several files. */
export async function openParts(plan: BundlePlan, layout: PartLayout): Promise<PartFile> {
  const { paths, volumeSize, journalPath } = layout;
  const [path = ''] = paths;
  const found = await Promise.all(paths.map((each) => stat(each).catch(() => undefined)));
  const sizeOf = (index: number): number => Math.min(volumeSize, plan.size - index * volumeSize);
  const allocated = found.reduce((sum, file) => sum + (file === undefined ? 0 : file.blocks * 512), 0);
  await needSpace(path, plan.size + (layout.more ?? 0) - allocated);
  const journal = await openJournal(
    journalPath,
    plan,
    found.every((file, index) => file?.size === sizeOf(index)),
  );
  const handles: FileHandle[] = [];
  const writeBack = new WriteBack(handles);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await journal.close();
    await writeBack.idle();
    await Promise.all(handles.map((handle) => handle.close()));
  };
  try {
    for (const each of paths) handles.push(await open(each, journal.finished.size > 0 ? 'r+' : 'w+', 0o644));
    await Promise.all(handles.map(readableByAll));
    await Promise.all(handles.map((handle, index) => handle.truncate(sizeOf(index))));
    const bytes = new PartBytes(handles, volumeSize, plan.size);
    for (const member of plan.members) await writeKnown(bytes, member);
    const finish = async (): Promise<void> => {
      await writeBack.done();
      await Promise.all(handles.map((handle) => handle.sync()));
      const [first] = plan.members;
      if (first !== undefined) await bytes.write(headerOf(first), 0);
      await handles[0]?.sync();
      await layout.publish(handles);
      await close();
      await rm(journalPath, { force: true });
      await syncFolder(dirname(path));
    };
    const received = (count: number): void => {
      writeBack.wrote(count);
    };
    return { path, bytes, journal, received, finish, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What file systems without permissions answer: FAT in the kernel, FAT and others in user space. */
const NO_PERMISSIONS = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

/** Whatever the umask says. */
async function readableByAll(handle: FileHandle): Promise<void> {
  await handle.chmod(0o644).catch((error: unknown) => {
    if (!NO_PERMISSIONS.has(systemCode(error) ?? '')) throw error;
  });
}

async function writeKnown(bytes: PartBytes, member: PlannedMember): Promise<void> {
  const header = member.headerOffset === 0 ? Buffer.concat([UNFINISHED], TAR_BLOCK) : headerOf(member);
  const content = Buffer.concat([member.content ?? Buffer.alloc(0)], member.content === undefined ? 0 : paddedSize(member.size));
  await bytes.write(Buffer.concat([header, content]), member.headerOffset);
}
