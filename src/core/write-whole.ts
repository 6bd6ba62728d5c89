import { constants, open, rename } from 'node:fs/promises';

/** Never through a link that somebody left under the name. */
const ANEW = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** Writes a file that has its name only when it is whole. What a kill leaves has a name that the next run writes over. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const part = `${path}.part`;
  const handle = await open(part, ANEW, 0o644);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, path);
}
