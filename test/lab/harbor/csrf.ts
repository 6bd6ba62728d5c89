import type { Exchange } from './context.ts';
import { forbidden } from './errors.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** The cookie-jar trap: whoever sends our session cookie back on an unsafe method would need a CSRF token as well. */
export function checkCsrf(x: Exchange): void {
  if (SAFE.has(x.method)) return;
  const cookies = (x.req.headers.cookie ?? '').split(';');
  if (cookies.some((cookie) => cookie.trim().startsWith('sid='))) {
    throw forbidden('CSRF token not found in request');
  }
}
