import { DeliverError } from '../core/errors.ts';
import { lockFile } from './process-lock.ts';

/**
 * Keeps a second pack away from the same output.
 * @returns what releases it
 * @throws DeliverError E_OUTPUT when another pack is at work
 */
export async function lockOutput(target: string): Promise<() => Promise<void>> {
  const path = `${target}.part.lock`;
  return lockFile(
    path,
    (holder) =>
      new DeliverError('E_OUTPUT', {
        what: `Another deliver is writing ${target}.`,
        why: `It is ${holder}, which holds ${path}.`,
        fix: 'Wait until it is done, or write elsewhere with --output. If that machine is gone, remove the lock file.',
        state: 'Nothing was changed.',
      }),
  );
}
