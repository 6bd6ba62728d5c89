import type { FileHandle } from 'node:fs/promises';

/** Bytes that may wait in memory of the operating system before the disk is set to work. */
const FLUSH_EVERY = 64 * 1024 * 1024;

/** Keeps the disk busy while files are written, so that little is left at the end: one fdatasync at a time. */
export class WriteBack {
  readonly #handles: readonly FileHandle[];
  #waiting = 0;
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #stopped = false;

  constructor(handles: readonly FileHandle[]) {
    this.#handles = handles;
  }

  /** Told how many bytes were written. */
  wrote(count: number): void {
    this.#waiting += count;
    if (this.#running !== undefined || this.#waiting < FLUSH_EVERY || this.#stopped) return;
    this.#waiting = 0;
    this.#running = this.#flush().finally(() => {
      this.#running = undefined;
    });
  }

  /** Waits for what is under way. @throws what a sync failed with: fsync(2) tells of a failed write-back only once */
  async done(): Promise<void> {
    await this.idle();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** After it no file is in use any more. */
  async idle(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #flush(): Promise<void> {
    for (const handle of this.#handles) {
      if (this.#stopped) return;
      try {
        await handle.datasync();
      } catch (error) {
        this.#failure ??= { error };
      }
    }
  }
}
