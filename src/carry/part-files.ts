import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../bundle/sync-folder.ts';

/** Files of a folder that get their names together, when all are whole; until then each is `<name>.part`. */
export class PartFiles {
  readonly #folder: string;
  readonly #open: { readonly name: string; readonly handle: FileHandle }[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Begins a file anew; what an interrupted run left under this name is overwritten. */
  async create(name: string): Promise<FileHandle> {
    const path = join(this.#folder, `${name}.part`);
    await rm(path, { force: true });
    // Never through a link, nor into a pipe, that somebody put there.
    const handle = await open(path, 'wx', 0o644);
    this.#open.push({ name, handle });
    return handle;
  }

  /** Takes over a file that is there already under `<name>.part`, open. */
  adopt(name: string, handle: FileHandle): void {
    this.#open.push({ name, handle });
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    const handle = await this.create(name);
    await writeAll(handle, bytes, 0);
  }

  /** Everything on the disk first, then the names, in the order in which the files were made. */
  async finish(): Promise<void> {
    for (const { handle } of this.#open) {
      await handle.sync();
      await handle.close();
    }
    for (const { name } of this.#open.splice(0)) await rename(join(this.#folder, `${name}.part`), join(this.#folder, name));
    await syncFolder(this.#folder);
  }

  /** Each gets its name as soon as it is on the disk itself: where one without the others is worth something. */
  async finishEach(): Promise<void> {
    for (const { name, handle } of this.#open.splice(0)) {
      await handle.sync();
      await handle.close();
      await rename(join(this.#folder, `${name}.part`), join(this.#folder, name));
    }
    await syncFolder(this.#folder);
  }

  /** Leaves the files unfinished. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#open.splice(0).map(({ handle }) => handle.close()));
  }
}

/** All bytes, at a place in a file. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, position + done);
    done += bytesWritten;
  }
}
