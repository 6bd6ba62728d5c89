import { DeliverError } from '../core/errors.ts';
import { exitCodeOf } from './exit-codes.ts';
import { WORDS } from './words.ts';

/** Ctrl-C, a service manager, a closed terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One Ctrl-C can arrive twice: from the terminal, and forwarded by bin/start.js. Milliseconds. */
const SAME_REQUEST = 300;

/**
 * A signal that is aborted when the person asks to stop. The second request ends the process at once:
 * whatever hangs must not hold them.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  let askedAt = 0;
  const stop = (): void => {
    if (controller.signal.aborted) {
      if (performance.now() - askedAt > SAME_REQUEST) process.exit(exitCodeOf('E_INTERRUPTED'));
      return;
    }
    askedAt = performance.now();
    controller.abort(new DeliverError('E_INTERRUPTED', { what: WORDS.interrupted, fix: WORDS.goOn }));
  };
  for (const name of SIGNALS) process.on(name, stop);
  return controller.signal;
}
