import { join, resolve } from 'node:path';
import { lockFile } from '../bundle/process-lock.ts';
import { DeliverError } from '../core/errors.ts';

/** Hidden, so that it is never taken for a delivery. */
const NAME = '.deliver-watch.lock';

/**
 * Keeps a second watch away from an inbox and from where it puts things: two would move the same files.
 * @returns what releases them
 * @throws DeliverError E_OUTPUT when a watch of any of these folders is at work
 */
export async function lockFolders(folders: readonly string[]): Promise<() => Promise<void>> {
  const held: (() => Promise<void>)[] = [];
  const release = async (): Promise<void> => {
    for (const unlock of held.splice(0)) await unlock();
  };
  try {
    for (const folder of new Set(folders.map((path) => resolve(path)))) {
      held.push(await lockFile(join(folder, NAME), (holder) => busy(folder, holder)));
    }
  } catch (error) {
    await release();
    throw error;
  }
  return release;
}

function busy(folder: string, holder: string): DeliverError {
  return new DeliverError('E_OUTPUT', {
    what: `Another deliver watch is at work in ${folder}.`,
    why: `It is ${holder}, which holds ${join(folder, NAME)}.`,
    fix: 'Stop that one first, or give this one folders of its own. If that machine is gone, remove the lock file.',
    state: 'Nothing was changed.',
  });
}
