/** What a file looked like. */
export interface Look {
  /** Bytes. */
  readonly size: number;
  readonly mtimeMs: number;
}

interface Seen extends Look {
  readonly since: number;
}

/**
 * Remembers since when files look the same. A gateway does not say when a file is finished, so one that has not changed
 * for a while is taken for finished; what a file is worth is found by its digests afterwards.
 */
export class Settling {
  readonly #settle: number;
  #seen = new Map<string, Seen>();

  /** @param settle milliseconds without a change */
  constructor(settle: number) {
    this.#settle = settle;
  }

  /**
   * Looks at all files once more; those that are gone are forgotten.
   * @param now milliseconds of a clock that never goes back
   * @returns the paths that have settled
   */
  update(files: ReadonlyMap<string, Look>, now: number): ReadonlySet<string> {
    const next = new Map<string, Seen>();
    const settled = new Set<string>();
    for (const [path, { size, mtimeMs }] of files) {
      const before = this.#seen.get(path);
      const same = before?.size === size && before.mtimeMs === mtimeMs;
      const since = same ? before.since : now;
      next.set(path, { size, mtimeMs, since });
      if (now - since >= this.#settle) settled.add(path);
    }
    this.#seen = next;
    return settled;
  }

  /** Milliseconds since the last of these files came or changed; 0 when one was never looked at. */
  quietFor(paths: readonly string[], now: number): number {
    return Math.min(...paths.map((path) => now - (this.#seen.get(path)?.since ?? now)));
  }
}
