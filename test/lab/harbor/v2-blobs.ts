import type { Exchange } from './context.ts';
import { fail, notFound } from './errors.ts';
import { discard, forward, keptHeaders, relay } from './upstream.ts';
import type { V2Target } from './v2.ts';

const PASSED_ON = ['accept', 'range', 'if-range', 'if-none-match'];

/** Which blobs a repository holds: presence is per repository, even inside one project. */
export function recordBlob(x: Exchange, repository: string, digest: string, size: number): void {
  (x.harbor.state.repositoryBlobs[repository] ??= {})[digest] = size;
}

export const heldBlob = (x: Exchange, repository: string, digest: string): number | undefined =>
  x.harbor.state.repositoryBlobs[repository]?.[digest];

const knownAnywhere = (x: Exchange, digest: string): boolean =>
  Object.values(x.harbor.state.repositoryBlobs).some((blobs) => digest in blobs) ||
  Object.values(x.harbor.state.repositories).some((repository) => digest in repository.artifacts);

export async function handleBlob(x: Exchange, { repository, reference: digest }: V2Target): Promise<void> {
  if (!['GET', 'HEAD', 'DELETE'].includes(x.method)) throw fail('METHOD_NOT_ALLOWED', 'method not allowed');
  // Core answers by itself for a blob that no repository has.
  if (x.method === 'HEAD' && !knownAnywhere(x, digest)) throw notFound(`blob ${digest} not found`);
  const path = `/v2/${repository}/blobs/${digest}`;
  const answer = await forward(x, { method: x.method, path, headers: keptHeaders(x, PASSED_ON) });
  if (x.method === 'DELETE' && answer.statusCode === 202) {
    const blobs = x.harbor.state.repositoryBlobs[repository];
    if (blobs !== undefined) Reflect.deleteProperty(blobs, digest);
    await x.harbor.store.commit();
  }
  await relay(x, answer);
}

/** Asks the registry; null when it does not hold the blob there. */
export async function storedSize(x: Exchange, repository: string, digest: string): Promise<number | null> {
  const answer = await forward(x, { method: 'HEAD', path: `/v2/${repository}/blobs/${digest}` });
  await discard(answer);
  return answer.statusCode === 200 ? Number(answer.headers['content-length']) : null;
}
