import { existsSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { freshState } from './state.ts';
import type { StateData } from './state.ts';

/** The front's database: one JSON file, replaced whole. `commit()` resolves when what was changed before it is on disk. */
export interface Store {
  readonly data: StateData;
  commit(): Promise<void>;
}

export function openStore(path: string | null, now: string, tokenExpirationMinutes: number): Store {
  // A file of an older front lacks what came later.
  const data: StateData = {
    ...freshState(now, tokenExpirationMinutes),
    ...(path !== null && existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Partial<StateData>) : {}),
  };
  if (path === null) return { data, commit: () => Promise.resolve() };

  let running: Promise<void> | null = null;
  let queued: Promise<void> | null = null;
  const write = async (): Promise<void> => {
    const temporary = `${path}.tmp`;
    await writeFile(temporary, JSON.stringify(data), { mode: 0o600 });
    await rename(temporary, path);
  };
  const commit = (): Promise<void> => {
    if (running === null) {
      running = write().finally(() => {
        running = null;
      });
      return running;
    }
    // One write is under way and may have missed this change: share the one after it.
    queued ??= running
      .catch(() => undefined)
      .then(() => {
        queued = null;
        return commit();
      });
    return queued;
  };
  return { data, commit };
}
