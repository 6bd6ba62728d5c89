import { contentRange } from '../core/content-range.ts';
import type { Digest } from '../core/digest.ts';
import { behind, resumed } from '../core/resumed.ts';
import type { HttpAnswer } from './http-call.ts';
import { HttpProblem } from './http-problem.ts';
import { isPassing } from './retry.ts';
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
  const ask = (offset: number): Promise<HttpAnswer> =>
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
  return resumed(unseen(await ask(0), 0), {
    async from(offset) {
      const answer = await ask(offset);
      if (answer.status !== 416) return unseen(answer, offset);
      // Everything was there already; whether it is the right thing is for the consumer to check.
      answer.body.destroy();
      return undefined;
    },
    isPassing,
    explained: (error) => session.explanation(doing, signal, error),
    firstDelay: session.retry.firstDelay,
    signal,
  });
}

/** The bytes from `offset` on: a registry that ignores Range begins again, and what is known is skipped. */
async function* unseen(answer: HttpAnswer, offset: number): AsyncGenerator<Uint8Array> {
  try {
    yield* behind(answer.body, offset - (answer.status === 206 ? startOf(answer, offset) : 0));
  } finally {
    answer.body.destroy();
  }
}

function startOf(answer: HttpAnswer, wanted: number): number {
  const start = contentRange(answer.header('content-range'))?.start ?? wanted;
  if (start > wanted)
    throw new HttpProblem(502, { code: '', text: `asked for bytes from ${String(wanted)}, got them from ${String(start)}` });
  return start;
}
