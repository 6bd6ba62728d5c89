import { Agent, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { finished, pipeline } from 'node:stream/promises';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { pipeBody } from './body.ts';
import type { Exchange } from './context.ts';
import { UpstreamDown } from './errors.ts';

export interface UpstreamRequest {
  method: string;
  /** With the query. */
  path: string;
  headers?: OutgoingHttpHeaders;
  /** 'client' streams the request's own body through. */
  body?: Buffer | 'client';
}

/** The registry that stores the bytes. Core alone talks to it, with Basic. */
export interface Upstream {
  open(method: string, path: string, headers: OutgoingHttpHeaders): ClientRequest;
  close(): void;
}

export function openUpstream(address: string): Upstream {
  const url = new URL(address);
  const agent = new Agent({ keepAlive: true });
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const authorization = url.username === '' ? {} : { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
  return {
    open: (method, path, headers) =>
      request({
        ...(url.protocol === 'https:' ? {} : { agent }),
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port,
        method,
        path,
        headers: { ...headers, ...authorization },
      }),
    close: () => {
      agent.destroy();
    },
  };
}

/** Sends one request on; the answer's body is still to be read. A registry that can't be reached throws UpstreamDown. */
export async function forward(x: Exchange, request: UpstreamRequest): Promise<IncomingMessage> {
  const outgoing = x.harbor.upstream.open(request.method, request.path, request.headers ?? {});
  const giveUp = (): void => {
    outgoing.destroy();
  };
  x.res.once('close', giveUp);
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.on('error', (cause) => {
      reject(new UpstreamDown('registry unreachable', { cause }));
    });
  });
  if (request.body === 'client') pipeBody(x, outgoing);
  else outgoing.end(request.body);
  try {
    return await answer;
  } finally {
    x.res.off('close', giveUp);
    if (request.body === 'client') {
      // An answer before the end of the body: what still comes is read and dropped.
      x.req.unpipe(outgoing);
      x.req.resume();
    }
  }
}

/** Those of the client's headers that go on to the registry. */
export function keptHeaders(x: Exchange, names: readonly string[]): OutgoingHttpHeaders {
  const kept: OutgoingHttpHeaders = {};
  for (const name of names) {
    const value = x.req.headers[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'trailer']);

function passedOn(answer: IncomingMessage): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}

/** Hands an upstream answer to the client, streaming. A registry that dies half-way takes the client's connection along. */
export async function relay(x: Exchange, answer: IncomingMessage, headers: OutgoingHttpHeaders = {}): Promise<void> {
  const out = passedOn(answer);
  if (typeof out.location === 'string') out.location = absolute(x, out.location);
  x.res.writeHead(answer.statusCode ?? 502, { ...out, ...headers });
  try {
    await pipeline(answer, x.res);
  } catch {
    x.res.destroy();
  }
}

export async function discard(answer: IncomingMessage): Promise<void> {
  answer.resume();
  await finished(answer);
}

/** Locations are absolute, with the scheme and host that the client used. */
export function absolute(x: Exchange, location: string): string {
  const { pathname, search } = new URL(location, 'http://upstream');
  return `${x.scheme}://${x.host}${pathname}${search}`;
}
