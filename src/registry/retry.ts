import { isDeliverError } from '../core/errors.ts';
import { isPassingAnswer, isPassingBreak } from '../core/passing.ts';
import { retried as retriedAs, type RetryPolicy } from '../core/retried.ts';
import { HttpProblem } from './http-problem.ts';

/** True for what may be gone at the next try: connections that break, 429, 5xx. Never for any other 4xx. */
export function isPassing(error: unknown): boolean {
  if (isDeliverError(error)) return false;
  if (error instanceof HttpProblem) return isPassingAnswer(error.status, error.retryAfter) && !error.diskFull;
  return isPassingBreak(error);
}

/** Tries again, with growing pauses or as long as the registry asks for, while `again` says so. */
export function retried<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: (number: number) => Promise<T>,
  again: (error: unknown) => boolean = isPassing,
): Promise<T> {
  const wait = (error: unknown): number | undefined => (error instanceof HttpProblem ? error.retryAfter : undefined);
  return retriedAs(policy, signal, attempt, { isPassing: again, wait });
}
