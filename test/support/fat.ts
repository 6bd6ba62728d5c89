import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { hasCommand } from './has-command.ts';

/** Bytes of the file system: the least that mkfs.vfat takes for FAT32 without a warning is about 33 MiB. */
const SIZE = 64 * 1024 * 1024;

export interface MountedFat {
  readonly path: string;
  /** fusefat 0.1 can't make a file longer without writing to it, as a pack does. */
  readonly isOfKernel: boolean;
  unmount(): Promise<void>;
}

/**
 * A new FAT32 file system, mounted: by the kernel where it knows how and may, else by fusefat.
 * @returns undefined where neither can be had
 */
export async function mountFat(folder: string): Promise<MountedFat | undefined> {
  if (!hasCommand('mkfs.vfat')) return undefined;
  const image = join(folder, 'fat.img');
  const path = join(folder, 'medium');
  await mkdir(path);
  await writeFile(image, '');
  await truncate(image, SIZE);
  await execa('mkfs.vfat', ['-F', '32', image]);
  const byKernel = await execa('mount', ['-o', 'loop', image, path], { reject: false });
  const byFuse = byKernel.failed && (await execa('fusefat', ['-o', 'rw+', image, path], { reject: false, timeout: 10_000 }));
  if (byFuse !== false && byFuse.failed) return undefined;
  const unmount = async (): Promise<void> => {
    await (byFuse === false ? execa('umount', [path]) : execa('fusermount', ['-u', path]));
    await rm(image);
  };
  return { path, isOfKernel: byFuse === false, unmount };
}
