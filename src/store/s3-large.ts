import { Readable } from 'node:stream';
import type { GetObjectCommand } from '@aws-sdk/client-s3';
import type { Receiver } from './receiver.ts';

/** A request as the library is about to send it: signed. */
interface SignedRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  /** Encoded. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
}

/** Bytes of an answer that is no object but a word about an error. */
const MOST_SAID = 64 * 1024;

/**
 * Lets the library sign a GET, try it again and read its head, but receives the object over a connection of its own into memory that
 * is used again: the library takes new memory for every 64 KiB (docs/decisions/0014).
 * @returns the body, once the command was answered; undefined when it came through the library after all
 */
export function receiveLarge(
  command: GetObjectCommand,
  receiver: Receiver,
  signal: AbortSignal | undefined,
): () => AsyncIterable<Uint8Array> | undefined {
  let body: AsyncIterable<Uint8Array> | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const url = urlOf(args.request);
      if (url === undefined || !isSigned(args.request)) return next(args);
      const received = await receiver.get(url, args.request.headers, signal);
      if (received.body === undefined) return next(args);
      const { head } = received;
      const isObject = head.status < 300;
      if (isObject) body = received.body;
      const said = isObject ? Buffer.alloc(0) : await beginningOf(received.body);
      const response = { statusCode: head.status, headers: Object.fromEntries(head.headers), body: Readable.from([said]) };
      return { response, output: undefined } as unknown as Awaited<ReturnType<typeof next>>;
    },
    { step: 'deserialize', priority: 'low', name: 'receiveLarge' },
  );
  return () => body;
}

function isSigned(request: unknown): request is SignedRequest {
  return typeof request === 'object' && request !== null && 'hostname' in request && 'path' in request && 'headers' in request;
}

/** Undefined when the path would not travel exactly as it was signed. */
function urlOf(request: unknown): URL | undefined {
  if (!isSigned(request)) return undefined;
  const { protocol, hostname, port, path, query } = request;
  const search = Object.entries(query).flatMap(([name, value]) =>
    (value === null || typeof value === 'string' ? [value] : value).map((one) => `${encoded(name)}=${encoded(one ?? '')}`),
  );
  const origin = `${protocol}//${hostname}${port === undefined ? '' : `:${String(port)}`}`;
  const text = `${origin}${path}${search.length === 0 ? '' : `?${search.join('&')}`}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.pathname === path ? url : undefined;
}

/** As signatures want it (RFC 3986, unreserved characters only). */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(Buffer.from(chunk));
    size += chunk.byteLength;
    if (size > MOST_SAID) break;
  }
  return Buffer.concat(chunks);
}
