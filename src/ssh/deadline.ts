import { DeliverError } from '../core/errors.ts';

export interface Deadline {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** What is being waited for: “the command on cp1”. */
  readonly what: string;
  readonly onTimeout: () => DeliverError;
  /** Called once when time is up or the signal came, so that nothing goes on behind the caller's back. */
  readonly cancel?: () => void;
}

/**
 * The outcome of `work`, or a failure when it takes too long or the signal comes. What arrives late is ignored.
 * @throws DeliverError of `onTimeout`, E_INTERRUPTED
 */
export async function within<T>(work: Promise<T>, deadline: Deadline): Promise<T> {
  const { timeout, signal, what, onTimeout, cancel } = deadline;
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const ended = new Promise<never>((_resolve, reject) => {
    const give = (error: DeliverError): void => {
      reject(error);
      cancel?.();
    };
    timer = setTimeout(() => {
      give(onTimeout());
    }, timeout);
    onAbort = () => {
      give(new DeliverError('E_INTERRUPTED', { what: `Interrupted while waiting for ${what}.`, cause: signal?.reason }));
    };
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    work.catch(() => undefined);
  }
}
