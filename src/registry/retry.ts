import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { isDeliverError, systemCode } from '../core/errors.ts';
import { HttpProblem } from './http-problem.ts';
import type { RetryPolicy } from './options.ts';

/** A registry that asks for a longer wait than this is not waited for. */
const LONGEST_WAIT = 60_000;
const LONGEST_DELAY = 5_000;
/** How often the transfer of one blob may break without a single new byte, and in all. */
export const BARREN_TRIES = 4;
export const ALL_TRIES = 50;

const PASSING = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  // undici answers a request that waits on a connection which another request's failure closed.
  'UND_ERR_INFO',
]);

/** True for what may be gone at the next try: connections that break, 429, 5xx. Never for any other 4xx. */
export function isPassing(error: unknown): boolean {
  if (isDeliverError(error)) return false;
  if (error instanceof HttpProblem) {
    if (error.retryAfter !== undefined && error.retryAfter > LONGEST_WAIT) return false;
    return error.status === 429 || (error.status >= 500 && error.status !== 501 && !error.diskFull);
  }
  const code = systemCode(error);
  return code !== undefined && PASSING.has(code);
}

/** Tries again, with growing pauses or as long as the registry asks for, while `again` says so. */
export function retried<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: (number: number) => Promise<T>,
  again: (error: unknown) => boolean = isPassing,
): Promise<T> {
  return pRetry(attempt, {
    retries: policy.retries,
    minTimeout: policy.firstDelay,
    maxTimeout: LONGEST_DELAY,
    factor: 2,
    randomize: true,
    ...(signal === undefined ? {} : { signal }),
    shouldRetry: ({ error }) => again(error),
    onFailedAttempt: async ({ error, retriesLeft }) => {
      if (!(error instanceof HttpProblem) || error.retryAfter === undefined || retriesLeft === 0 || !again(error)) return;
      await sleep(error.retryAfter, undefined, signal === undefined ? {} : { signal });
    },
  });
}
