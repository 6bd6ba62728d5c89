import type { Readable } from 'node:stream';
import { Agent, EnvHttpProxyAgent, type Dispatcher } from 'undici';
import { isLoopbackHost } from '../core/reference.ts';
import { connectorFor, registryDestination, tlsTrust } from './connector.ts';
import type { HttpAnswer, HttpCall } from './http-call.ts';
import type { RegistryOptions } from './options.ts';
import { RemoteBody } from './remote-body.ts';

/** Plain requests: no credentials of its own, no retries, no cookies, no redirects. */
export interface HttpClient {
  /** https or http URL of the registry itself. */
  readonly base: URL;
  /** No proxy and no tunnel in between: threads can make connections of their own. */
  readonly isDirect: boolean;
  send(call: HttpCall): Promise<HttpAnswer>;
  close(): Promise<void>;
}

const ANSWER_WITHIN = 60_000;
/** Milliseconds between two pieces of an answer's body. */
const BODY_STALL = 60_000;
/** Bytes of an answer that wait to be read before the connection is held back. */
const READ_AHEAD = 512 * 1024;
const LIMITS = { answerWithin: ANSWER_WITHIN, stall: BODY_STALL };

export function createHttpClient(options: RegistryOptions): HttpClient {
  const plain = options.plainHttp ?? isLoopbackHost(options.host);
  const base = new URL(`${plain ? 'http' : 'https'}://${options.host}`);
  const dispatcher = dispatcherFor(options);
  const isDirect = dispatcher instanceof Agent && options.dial === undefined;
  const remote = async (call: HttpCall): Promise<HttpAnswer | undefined> =>
    isDirect && call.thread !== undefined
      ? new RemoteBody(call.thread, call.signal).get(call, registryDestination(options, call.url), LIMITS)
      : undefined;
  return {
    base,
    isDirect,
    send: async (call) => {
      const received = await remote(call);
      if (received !== undefined) return received;
      const answer = await dispatcher.request({
        origin: call.url.origin,
        path: call.url.pathname + call.url.search,
        method: call.method,
        headers: { 'user-agent': 'deliver', ...call.headers },
        // undici takes any iterable; its types have not heard of it.
        ...(call.body === undefined ? {} : { body: call.body as Uint8Array | string | Readable }),
        ...(call.signal === undefined ? {} : { signal: call.signal }),
        headersTimeout: call.answerWithin ?? ANSWER_WITHIN,
        bodyTimeout: BODY_STALL,
        highWaterMark: READ_AHEAD,
      });
      return {
        status: answer.statusCode,
        header: (name) => {
          const value = answer.headers[name.toLowerCase()];
          return Array.isArray(value) ? value.join(', ') : value;
        },
        body: answer.body,
      };
    },
    close: async () => {
      await dispatcher.destroy();
    },
  };
}

function dispatcherFor(options: RegistryOptions): Dispatcher {
  const connect = connectorFor(options);
  const env = options.proxyEnv;
  const tunnelled = options.dial !== undefined || options.address !== undefined;
  if (env === undefined || tunnelled || isLoopbackHost(options.host)) return new Agent({ connect });
  const httpProxy = env.http_proxy ?? env.HTTP_PROXY ?? '';
  const httpsProxy = env.https_proxy ?? env.HTTPS_PROXY ?? '';
  if (httpProxy === '' && httpsProxy === '') return new Agent({ connect });
  const noProxy = [env.no_proxy ?? env.NO_PROXY ?? '', 'localhost', '127.0.0.1', '::1'].filter((entry) => entry !== '').join(',');
  return new EnvHttpProxyAgent({
    connect,
    httpProxy,
    httpsProxy,
    noProxy,
    requestTls: { allowH2: false, ...tlsTrust(options.ca) },
  });
}

/** Frees the connection of an answer whose body nobody wants. */
export async function discard(answer: HttpAnswer): Promise<void> {
  await answer.body.dump({ limit: 256 * 1024 }).catch(() => undefined);
}

/**
 * The whole body of a small answer.
 * @throws RangeError past `limit` bytes
 */
export async function readAll(answer: HttpAnswer, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    size += chunk.byteLength;
    if (size > limit) {
      answer.body.destroy();
      throw new RangeError(`answer is larger than ${String(limit)} bytes`);
    }
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}
