import type { Digest } from '../core/digest.ts';
import { discard } from './http-client.ts';
import { HttpProblem } from './http-problem.ts';
import { scopeOf } from './scopes.ts';
import type { Session } from './session.ts';

/** HEAD /v2/<repository>/blobs/<digest>. Presence is per repository. */
export function hasBlob(session: Session, repository: string, digest: Digest, signal?: AbortSignal): Promise<boolean> {
  return session.explained(`look for blob ${digest} in ${repository}`, signal, () =>
    headBlob(session, repository, digest, signal),
  );
}

/** The same for use inside a larger work, which explains its errors itself. */
export async function headBlob(session: Session, repository: string, digest: Digest, signal?: AbortSignal): Promise<boolean> {
  const answer = await session.call({
    method: 'HEAD',
    path: `/v2/${repository}/blobs/${digest}`,
    scopes: [scopeOf(repository, session.options.role)],
    accept: [200, 404],
    signal,
  });
  await discard(answer);
  return answer.status === 200;
}

/** Cross-repository mount (distribution-spec “Mounting a blob from another repository”). False when the registry would not. */
export function mountBlob(
  session: Session,
  repository: string,
  digest: Digest,
  from: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const scopes = [scopeOf(repository, session.options.role), `repository:${from}:pull`];
  return session.explained(`mount blob ${digest} from ${from} into ${repository}`, signal, async () => {
    try {
      const query = new URLSearchParams({ mount: digest, from });
      const answer = await session.call({
        method: 'POST',
        path: `/v2/${repository}/blobs/uploads/?${query.toString()}`,
        scopes,
        accept: [201, 202],
        signal,
      });
      await discard(answer);
      // 202 is an upload session that nobody asked for.
      if (answer.status === 202) await cancelUpload(session, answer.header('location'), scopes);
      return answer.status === 201;
    } catch (error) {
      if (error instanceof HttpProblem && refusesOnlyTheMount(error)) return false;
      throw error;
    }
  });
}

/** A full project or a read-only registry would refuse an upload as well; missing pull rights on the source would not. */
function refusesOnlyTheMount(problem: HttpProblem): boolean {
  if (problem.status === 403) return !/storage resource|quota|read.?only/i.test(problem.text);
  return [400, 401, 404, 405].includes(problem.status) && !problem.emptyChallenge;
}

/** Tells the registry to drop a half-done upload, so that it doesn't keep its bytes for days. Best effort. */
export async function cancelUpload(session: Session, location: string | undefined, scopes: readonly string[]): Promise<void> {
  if (location === undefined) return;
  try {
    const signal = AbortSignal.timeout(5_000);
    await discard(
      await session.once({ method: 'DELETE', path: localPath(location), scopes, accept: [200, 202, 204, 404], signal }),
    );
  } catch {
    // It is purged later by itself.
  }
}

/** Path and query of a Location, whatever origin a proxy made the registry believe it has: we talk to the host that we were told. */
export function localPath(location: string): string {
  const url = new URL(location, 'http://registry');
  return url.pathname + url.search;
}
