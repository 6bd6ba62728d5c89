import type { Writable } from 'node:stream';
import type { Exchange } from './context.ts';
import { fail } from './errors.ts';

/**
 * Counts what arrives and plays nginx's client_body_timeout: a client that sends nothing for that long
 * is cut off without an answer. A stall of the registry behind is not the client's fault.
 */
function watch(x: Exchange): void {
  const { req } = x;
  const timer = setTimeout(() => {
    if (req.isPaused() || req.readableLength > 0) timer.refresh();
    else req.socket.destroy();
  }, x.harbor.config.bodyStallMs);
  timer.unref();
  const stop = (): void => {
    clearTimeout(timer);
  };
  req.on('data', (chunk: Buffer) => {
    x.bytesIn += chunk.length;
    timer.refresh();
  });
  req.once('end', stop).once('close', stop).once('error', stop);
}

/** The declared length; null when the body comes chunked, 0 when there is none. */
export function declaredLength(x: Exchange): number | null {
  const length = x.req.headers['content-length'];
  if (length !== undefined) return Number(length);
  return x.req.headers['transfer-encoding'] === undefined ? 0 : null;
}

export function pipeBody(x: Exchange, into: Writable): void {
  watch(x);
  x.req.pipe(into);
}

/** Throws 413 as soon as the limit is passed. */
export async function readBody(x: Exchange, limit: number): Promise<Buffer> {
  watch(x);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of x.req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  if (size > limit) throw fail('REQUEST_ENTITY_TOO_LARGE', 'request entity too large');
  return Buffer.concat(chunks);
}
