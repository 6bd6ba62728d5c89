import { execa } from 'execa';
import { cp, mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of the file system; what is not written takes no room. */
const SIZE = 128 * 1024 * 1024;
const MAKE = { ext4: ['mkfs.ext4', '-q'], vfat: ['mkfs.vfat'] } as const;

export type FileSystem = keyof typeof MAKE;

export interface Medium {
  readonly path: string;
  unmount(): Promise<void>;
}

/**
 * A new file system on a loop device with files in it, mounted read-only by the kernel.
 * @param from folders and files that are copied onto it
 * @returns undefined where the kernel does not know the file system, or nothing may be mounted
 */
export async function readOnlyMedium(kind: FileSystem, folder: string, from: readonly string[]): Promise<Medium | undefined> {
  const [program, ...args] = MAKE[kind];
  const image = join(folder, `${kind}.img`);
  const path = join(folder, `medium-${kind}`);
  await mkdir(path);
  await writeFile(image, '');
  await truncate(image, SIZE);
  const made = await execa(program, [...args, image], { reject: false });
  if (made.failed || (await execa('mount', ['-o', 'loop', image, path], { reject: false })).failed) return undefined;
  for (const each of from) await cp(each, join(path, each.slice(each.lastIndexOf('/') + 1)), { recursive: true });
  await execa('umount', [path]);
  await execa('mount', ['-o', 'loop,ro', image, path]);
  return {
    path,
    unmount: async () => {
      await execa('umount', [path]);
    },
  };
}
