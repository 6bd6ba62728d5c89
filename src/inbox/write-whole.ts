import { open, rename } from 'node:fs/promises';

/** Writes a file that has its name only when it is whole. What a kill leaves has a name that the next run writes over. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const part = `${path}.part`;
  const handle = await open(part, 'w', 0o644);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, path);
}
