import { DeliverError } from '../core/errors.ts';
import { exitCodeOf } from './exit-codes.ts';
import { WORDS } from './words.ts';

/** Ctrl-C, a service manager, a closed terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * A signal that is aborted when the person asks to stop. The second request ends the process at once:
 * whatever hangs must not hold them.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(exitCodeOf('E_INTERRUPTED'));
    controller.abort(new DeliverError('E_INTERRUPTED', { what: WORDS.interrupted, fix: WORDS.goOn }));
  };
  for (const name of SIGNALS) process.on(name, stop);
  return controller.signal;
}
