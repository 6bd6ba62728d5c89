import { messageOf } from '../core/errors.ts';
import type { Digest } from '../core/digest.ts';
import { cancelUpload, headBlob, localPath } from './blobs.ts';
import { discard } from './http-client.ts';
import { HttpProblem } from './http-problem.ts';
import type { OpenBytes, PutBlobOptions } from './port.ts';
import { isPassing, retried } from './retry.ts';
import { scopeOf } from './scopes.ts';
import type { Session } from './session.ts';
import { StallWatch } from './stall-watch.ts';

/** Milliseconds for the closing PUT: the registry hashes the whole blob again; Harbor's own proxy gives it 900 s. */
const COMMIT_WITHIN = 1_000_000;
/** Attempts after the first; each sends the whole blob again, because Harbor's registry cannot go on inside a broken PATCH. */
const RESTARTS = 3;

interface Blob {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * Uploads one blob: POST, one PATCH with the whole stream, PUT. A single PUT would be shorter, but Harbor's nginx turns an early
 * refusal of a large PUT into a bare 502. After a broken connection, a 5xx or a lost session the blob starts again from POST.
 * What `open` throws ends it at once.
 */
export function putBlob(
  session: Session,
  repository: string,
  blob: Blob,
  open: OpenBytes,
  options: PutBlobOptions = {},
): Promise<void> {
  const { signal } = options;
  let sent = 0;
  let sending = false;
  const count = (bytes: number): void => {
    sent += bytes;
    options.onBytes?.(bytes);
  };
  const attempt = async (number: number): Promise<void> => {
    sending = false;
    if (sent > 0) count(-sent);
    // The answer may have been lost after the registry had it all.
    if (number > 1 && (await headBlob(session, repository, blob.digest, signal))) {
      count(blob.size);
      return;
    }
    const location = await beginUpload(session, repository, signal);
    sending = true;
    await finishUpload(session, repository, location, blob, open, count, signal);
  };
  const policy = { ...session.retry, retries: Math.min(RESTARTS, session.retry.retries) };
  return session.explained(`upload blob ${blob.digest} to ${repository}`, signal, () =>
    // Small requests have their own retries.
    retried(policy, signal, attempt, (error) => sending && mayStartAgain(error)),
  );
}

function mayStartAgain(error: unknown): boolean {
  if (isPassing(error)) return true;
  if (!(error instanceof HttpProblem)) return false;
  // 404 and 416: the upload session is gone. 400: the bytes were verified here, so they broke on the way.
  return error.status === 404 || error.status === 416 || error.code === 'DIGEST_INVALID' || error.renewed;
}

async function beginUpload(session: Session, repository: string, signal: AbortSignal | undefined): Promise<string> {
  const scopes = [scopeOf(repository, session.options.role)];
  const answer = await session.call({ method: 'POST', path: `/v2/${repository}/blobs/uploads/`, scopes, accept: [202], signal });
  await discard(answer);
  return locationOf(answer.header('location'));
}

async function finishUpload(
  session: Session,
  repository: string,
  begun: string,
  blob: Blob,
  open: OpenBytes,
  count: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const scopes = [scopeOf(repository, session.options.role)];
  let location = begun;
  try {
    if (blob.size > 0) location = await sendBytes(session, location, scopes, blob, open, count, signal);
    const path = `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(blob.digest)}`;
    const headers = { 'content-type': 'application/octet-stream' };
    const body = new Uint8Array();
    const committed = await session.once({
      method: 'PUT',
      path,
      headers,
      body,
      scopes,
      accept: [201, 204],
      answerWithin: COMMIT_WITHIN,
      signal,
    });
    await discard(committed);
  } catch (error) {
    await cancelUpload(session, location, scopes);
    throw error;
  }
}

async function sendBytes(
  session: Session,
  location: string,
  scopes: readonly string[],
  blob: Blob,
  open: OpenBytes,
  count: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<string> {
  const watch = new StallWatch(signal);
  const source: { failed?: Error } = {};
  // A socket of our own says when it has sent a chunk; what a tunnel does with it after that nobody knows.
  const memory = session.options.dial === undefined ? 'reused' : 'fresh';
  const body = oneBehind(open(memory), source, count, watch);
  try {
    const answer = await session.once({
      method: 'PATCH',
      path: location,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(blob.size) },
      body,
      scopes,
      accept: [202, 201, 204],
      answerWithin: 0,
      signal: watch.signal,
    });
    await discard(answer);
    return locationOf(answer.header('location') ?? location);
  } catch (error) {
    if (source.failed !== undefined) throw source.failed;
    throw watch.stalled ?? error;
  } finally {
    watch.stop();
  }
}

/**
 * The same chunks, each handed on only when the next one or the end is known: a source that finds at its end that it was
 * corrupt has then not sent its last bytes, and the registry never holds the whole of it.
 */
async function* oneBehind(
  bytes: AsyncIterable<Uint8Array>,
  source: { failed?: Error },
  count: (bytes: number) => void,
  watch: StallWatch,
): AsyncGenerator<Uint8Array, void, void> {
  let waiting: Uint8Array | undefined;
  const iterator = bytes[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await iterator.next().catch((error: unknown) => {
        ended = true;
        source.failed = error instanceof Error ? error : new Error(messageOf(error));
        throw source.failed;
      });
      if (waiting !== undefined) {
        watch.moved();
        count(waiting.byteLength);
        yield waiting;
      }
      if (next.done === true) {
        ended = true;
        return;
      }
      waiting = next.value;
    }
  } finally {
    if (!ended) await iterator.return?.();
  }
}

function locationOf(header: string | undefined): string {
  if (header !== undefined) return localPath(header);
  throw new HttpProblem(502, { code: '', text: 'the registry began an upload without saying where (no Location)' });
}
