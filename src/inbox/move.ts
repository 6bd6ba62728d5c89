import { copyFile, lstat, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { syncFolder } from '../bundle/sync-folder.ts';
import { systemCode } from '../core/errors.ts';
import { writeWhole } from '../core/write-whole.ts';

/** Beside a copy while its original is still there too, so that one that was killed in between is known from a second delivery. */
const ARRIVING = '.arriving';

const Origin = z.strictObject({ path: z.string(), inode: z.string(), size: z.number(), mtimeMs: z.number() });
type Origin = z.infer<typeof Origin>;

/** A rename; to another file system a copy that gets its name when it is whole and on disk, then the original goes. */
export async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (systemCode(error) !== 'EXDEV') throw error;
    await moveAcross(from, to);
  }
}

async function moveAcross(from: string, to: string): Promise<void> {
  const part = `${to}.part`;
  await rm(part, { recursive: true, force: true });
  await copyAll(from, part);
  await writeWhole(`${to}${ARRIVING}`, JSON.stringify(await originOf(from)));
  await rename(part, to);
  await syncFolder(dirname(to));
  await rm(from, { recursive: true });
  await syncFolder(dirname(from));
  await rm(`${to}${ARRIVING}`);
}

/**
 * Ends the moves to another file system that a kill left half done: a copy that got its name stays and its original goes; one
 * that did not is thrown away, and its original stays.
 * @returns names of what has now arrived
 */
export async function endMoves(folder: string): Promise<readonly string[]> {
  const arrived: string[] = [];
  for (const name of await readdir(folder)) {
    if (!name.endsWith(ARRIVING)) continue;
    const marker = join(folder, name);
    const target = marker.slice(0, -ARRIVING.length);
    const origin = Origin.safeParse(JSON.parse(await readFile(marker, 'utf8')));
    if (origin.success && (await exists(target))) {
      if (await isStill(origin.data)) await rm(origin.data.path, { recursive: true });
      arrived.push(basename(target));
    }
    await rm(marker);
  }
  return arrived;
}

export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function originOf(path: string): Promise<Origin> {
  const { ino, size, mtimeMs } = await lstat(path);
  return { path, inode: String(ino), size, mtimeMs };
}

/** False when somebody has put something else in its place since. A folder that is half removed has another time. */
async function isStill(origin: Origin): Promise<boolean> {
  const found = await lstat(origin.path).catch(() => undefined);
  if (found === undefined || String(found.ino) !== origin.inode) return false;
  return found.isDirectory() || (found.size === origin.size && found.mtimeMs === origin.mtimeMs);
}

async function copyAll(from: string, to: string): Promise<void> {
  if ((await lstat(from)).isDirectory()) {
    await mkdir(to, { recursive: true });
    for (const name of await readdir(from)) await copyAll(join(from, name), join(to, name));
    await syncFolder(to);
    return;
  }
  await copyFile(from, to);
  const handle = await open(to, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
