import { systemCode } from './errors.ts';

/** A server that asks for a longer wait than this is not waited for. */
const LONGEST_WAIT = 60_000;

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

/** Connections that broke, or never came about, in a way that may be gone at the next try. */
export function isPassingBreak(error: unknown): boolean {
  const code = systemCode(error);
  return code !== undefined && PASSING.has(code);
}

/** 429 and 5xx, unless the server asks for too long a wait. Never any other 4xx. */
export function isPassingAnswer(status: number, retryAfter: number | undefined): boolean {
  if (retryAfter !== undefined && retryAfter > LONGEST_WAIT) return false;
  return status === 429 || (status >= 500 && status !== 501);
}

/** Milliseconds that a Retry-After asks for (RFC 9110 10.2.3: seconds or a date). */
export function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
