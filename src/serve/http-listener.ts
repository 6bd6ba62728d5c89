import { once } from 'node:events';
import {
  createServer as createPlain,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecure } from 'node:https';
import pLimit from 'p-limit';
import { DeliverError, messageOf } from '../core/errors.ts';
import { errorAnswer } from './answers.ts';
import type { HttpListener, Listening, ListenOptions, ServeAnswer, Served, ServeRequest } from './port.ts';
import { failure, sendAnswer, type Sent } from './send-answer.ts';

/** Answers under way at once; each holds a few buffers of 256 KiB. */
const AT_ONCE = 64;
/** Requests that wait for their turn; more are told to come back. */
const WAITING = 512;
const CONNECTIONS = 1024;
/** Milliseconds without a byte in either direction, then the connection ends; nobody keeps a place by being slow. */
const IDLE = 60_000;
const LIMITS: ServerOptions = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 5000,
  rejectNonStandardBodyWrites: false,
};

type Answer = (request: ServeRequest, signal: AbortSignal) => Promise<ServeAnswer>;

/** HTTP/1.1 with and without TLS, from node:http(s). */
export const httpListener: HttpListener = {
  async listen(options, answer, served) {
    const limit = pLimit(AT_ONCE);
    const running = new Set<Promise<void>>();
    const server = serverOf(options);
    server.maxConnections = CONNECTIONS;
    server.timeout = IDLE;
    server.on('request', (request, response) => {
      const work = handle(request, response, answer, limit, served).finally(() => running.delete(work));
      running.add(work);
    });
    await listening(server, options);
    return { url: urlOf(server, options), close: async (grace) => close(server, running, grace) } satisfies Listening;
  },
};

/** @throws DeliverError E_LISTEN when certificate and key are not a pair that works */
function serverOf({ tls }: ListenOptions): Server {
  if (tls === undefined) return createPlain(LIMITS);
  try {
    return createSecure({ ...LIMITS, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: 10_000 });
  } catch (cause) {
    throw new DeliverError('E_LISTEN', {
      what: 'The TLS certificate and key can’t be used.',
      why: messageOf(cause),
      fix: 'Give PEM files that belong together: --tls-cert CERT.pem --tls-key KEY.pem.',
      cause,
    });
  }
}

async function listening(server: Server, { host, port }: ListenOptions): Promise<void> {
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (cause) {
    throw new DeliverError('E_LISTEN', {
      what: `deliver can’t listen on ${host}, port ${String(port)}.`,
      why: messageOf(cause),
      fix: 'Give another address with --listen HOST:PORT.',
      cause,
    });
  }
}

function urlOf(server: Server, { host, tls }: ListenOptions): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  limit: ReturnType<typeof pLimit>,
  served: (served: Served) => void,
): Promise<void> {
  const { method = '', url = '', socket } = request;
  const gone = new AbortController();
  response.on('close', () => {
    gone.abort(new Error('the connection ended'));
  });
  response.on('error', () => undefined);
  // A write is refused whatever it brings; its body is let go, and so is the connection.
  request.resume();
  if (method !== 'GET' && method !== 'HEAD') response.setHeader('Connection', 'close');
  const { range, 'if-range': ifRange } = request.headers;
  const asked: ServeRequest = { method, target: url, range, ifRange: typeof ifRange === 'string' ? ifRange : undefined };
  const told = (sent: Sent): void => {
    served({ client: socket.remoteAddress ?? '', method, target: url, ...sent });
  };
  if (limit.pendingCount >= WAITING) {
    told(
      await sendAnswer(
        response,
        errorAnswer('TOOMANYREQUESTS', 'too many requests at once', { 'Retry-After': '1' }),
        gone.signal,
      ),
    );
    return;
  }
  told(await limit(async () => respond(asked, response, answer, gone.signal)));
}

async function respond(asked: ServeRequest, response: ServerResponse, answer: Answer, signal: AbortSignal): Promise<Sent> {
  // Nothing moves on the connection while a large blob is hashed for the first time.
  response.socket?.setTimeout(0);
  try {
    const given = await answer(asked, signal);
    response.socket?.setTimeout(IDLE);
    return await sendAnswer(response, given, signal);
  } catch (error) {
    if (signal.aborted) return { status: 0, bytes: 0, broken: 'the connection ended' };
    response.socket?.setTimeout(IDLE);
    const [told] = failure();
    const sent = await sendAnswer(
      response,
      asked.method === 'HEAD' ? { status: told.status, headers: told.headers } : told,
      signal,
    );
    return { ...sent, broken: messageOf(error) };
  }
}

async function close(server: Server, running: ReadonlySet<Promise<void>>, grace: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, grace);
  await Promise.allSettled(running);
  // Answers are out; what still holds a connection open has nothing coming.
  server.closeIdleConnections();
  await Promise.race([closed, once(AbortSignal.timeout(1000), 'abort')]);
  clearTimeout(timer);
  server.closeAllConnections();
}
