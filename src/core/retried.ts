import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';

export interface RetryPolicy {
  /** Tries after the first one. */
  readonly retries: number;
  /** Milliseconds before the first of them; doubles each time. */
  readonly firstDelay: number;
}

export const DEFAULT_RETRY: RetryPolicy = { retries: 4, firstDelay: 300 };

export const LONGEST_DELAY = 5_000;

interface Failures {
  /** Whether it may be gone at the next try. */
  readonly isPassing: (error: unknown) => boolean;
  /** Milliseconds that the other side asks to wait. */
  readonly wait: (error: unknown) => number | undefined;
}

/** Tries again, with growing pauses or as long as the other side asks for, while what failed may pass. */
export function retried<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: (number: number) => Promise<T>,
  { isPassing, wait }: Failures,
): Promise<T> {
  return pRetry(attempt, {
    retries: policy.retries,
    minTimeout: policy.firstDelay,
    maxTimeout: LONGEST_DELAY,
    factor: 2,
    randomize: true,
    ...(signal === undefined ? {} : { signal }),
    shouldRetry: ({ error }) => isPassing(error),
    onFailedAttempt: async ({ error, retriesLeft }) => {
      const asked = wait(error);
      if (asked === undefined || retriesLeft === 0 || !isPassing(error)) return;
      await sleep(asked, undefined, signal === undefined ? {} : { signal });
    },
  });
}
