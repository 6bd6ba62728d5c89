import type { Digest } from '../core/digest.ts';
import { contentRange } from './content-range.ts';
import type { HttpAnswer } from './http-call.ts';
import { HttpProblem } from './http-problem.ts';
import { ALL_TRIES, BARREN_TRIES, isPassing } from './retry.ts';
import { scopeOf } from './scopes.ts';
import type { Session } from './session.ts';

/**
 * GET /v2/<repository>/blobs/<digest>. A connection that breaks is taken up again where it broke (Range, RFC 9110 14).
 * The bytes are not verified: the consumer hashes them. A chunk is good until the next one is asked for.
 */
export async function readBlob(
  session: Session,
  repository: string,
  digest: Digest,
  signal?: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const doing = `read blob ${digest} of ${repository}`;
  const from = (offset: number): Promise<HttpAnswer> =>
    session.explained(doing, signal, () =>
      session.call({
        method: 'GET',
        path: `/v2/${repository}/blobs/${digest}`,
        headers: offset === 0 ? {} : { range: `bytes=${String(offset)}-` },
        scopes: [scopeOf(repository, session.options.role)],
        accept: offset === 0 ? [200] : [200, 206, 416],
        signal,
      }),
    );
  const first = await from(0);
  return resumed(first, from, (error) => session.explanation(doing, signal, error), signal);
}

async function* resumed(
  first: HttpAnswer,
  from: (offset: number) => Promise<HttpAnswer>,
  explained: (error: unknown) => Promise<unknown>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  let barren = 0;
  let answer = first;
  for (let tries = 1; ; tries++) {
    const before = received;
    try {
      for await (const chunk of unseen(answer, received)) {
        received += chunk.byteLength;
        yield chunk;
      }
      return;
    } catch (error) {
      barren = received > before ? 0 : barren + 1;
      if (signal?.aborted === true || !isPassing(error) || barren >= BARREN_TRIES || tries >= ALL_TRIES)
        throw await explained(error);
    } finally {
      answer.body.destroy();
    }
    answer = await from(received);
    // Everything was there already; whether it is the right thing is for the consumer to check.
    if (answer.status === 416) {
      answer.body.destroy();
      return;
    }
  }
}

/** The bytes from `offset` on: a registry that ignores Range begins again, and what is known is skipped. */
async function* unseen(answer: HttpAnswer, offset: number): AsyncGenerator<Uint8Array> {
  let skip = answer.status === 206 ? offset - startOf(answer, offset) : offset;
  for await (const chunk of answer.body) {
    if (skip >= chunk.byteLength) {
      skip -= chunk.byteLength;
      continue;
    }
    yield skip === 0 ? chunk : chunk.subarray(skip);
    skip = 0;
  }
}

function startOf(answer: HttpAnswer, wanted: number): number {
  const start = contentRange(answer.header('content-range'))?.start ?? wanted;
  if (start > wanted)
    throw new HttpProblem(502, { code: '', text: `asked for bytes from ${String(wanted)}, got them from ${String(start)}` });
  return start;
}
