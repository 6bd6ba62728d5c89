import type { ServerResponse } from 'node:http';
import { messageOf } from '../core/errors.ts';
import { errorAnswer } from './answers.ts';
import type { BlobBody, ServeAnswer } from './port.ts';

export interface Sent {
  readonly status: number;
  readonly bytes: number;
  readonly broken?: string;
}

/**
 * Writes an answer. The last chunk of a blob is held back until its source has ended well: a client that reached the end of the
 * body holds what the digest promises, and any other finds its connection cut off.
 */
export async function sendAnswer(response: ServerResponse, answer: ServeAnswer, signal: AbortSignal): Promise<Sent> {
  const { body } = answer;
  if (body === undefined || body instanceof Uint8Array) return sendBytes(response, answer, body);
  let bytes = 0;
  let held: Uint8Array | undefined;
  const writer = writerOf(response, signal);
  const write = async (chunk: Uint8Array): Promise<void> => {
    if (!response.headersSent) response.writeHead(answer.status, answer.headers);
    await writer(chunk);
    bytes += chunk.byteLength;
  };
  try {
    for await (const chunk of limited(body, signal)) {
      if (held !== undefined) await write(held);
      held = chunk;
    }
    if (held === undefined) response.writeHead(answer.status, answer.headers);
    else await write(held);
  } catch (error) {
    if (!response.headersSent && !signal.aborted) return { ...sendBytes(response, ...failure()), broken: messageOf(error) };
    response.destroy();
    return { status: answer.status, bytes, broken: signal.aborted ? 'the connection ended' : messageOf(error) };
  }
  response.end();
  return { status: answer.status, bytes };
}

/** What a client is told when the bundle can't be read; the log has the rest. */
export function failure(): [ServeAnswer, Uint8Array | undefined] {
  const answer = errorAnswer('UNKNOWN', 'the bundle can’t be read here, or is damaged; the log of deliver serve says more');
  return [answer, answer.body instanceof Uint8Array ? answer.body : undefined];
}

function sendBytes(response: ServerResponse, { status, headers }: ServeAnswer, body: Uint8Array | undefined): Sent {
  response.writeHead(status, headers);
  response.end(body);
  return { status, bytes: body?.byteLength ?? 0 };
}

/** A source that gives another number of bytes than the headers promise is an error too. */
async function* limited(body: BlobBody, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let left = body.length;
  for await (const chunk of body.open(signal)) {
    left -= chunk.byteLength;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0) throw new Error(`${body.digest} did not give the bytes that it has`);
}

/** A write ends when the chunk has left, for its memory is used again; or with the connection, which does not always say so. */
function writerOf(response: ServerResponse, signal: AbortSignal): (chunk: Uint8Array) => Promise<void> {
  let pending: PromiseWithResolvers<undefined> | undefined;
  signal.addEventListener('abort', () => pending?.reject(signal.reason), { once: true });
  return async (chunk) => {
    signal.throwIfAborted();
    const done = (pending = Promise.withResolvers<undefined>());
    response.write(chunk, (error) => {
      if (error) done.reject(error);
      else done.resolve(undefined);
    });
    await done.promise;
  };
}
