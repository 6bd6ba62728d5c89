import { z } from 'zod';
import { digestOf, isDigest, type Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { isManifestType, MANIFEST_TYPES, MEDIA } from '../core/oci.ts';
import { discard, readAll } from './http-client.ts';
import { HttpProblem, parseJson } from './http-problem.ts';
import type { FetchedManifest } from './port.ts';
import { scopeOf } from './scopes.ts';
import type { Session } from './session.ts';

/** Registries must take 4 MiB (distribution-spec); some indexes of others are larger. */
const MAX_MANIFEST = 16 * 1024 * 1024;
const ACCEPT = { accept: MANIFEST_TYPES.join(', ') };

const ManifestHead = z.object({
  mediaType: z.string().optional(),
  manifests: z.unknown().optional(),
  layers: z.unknown().optional(),
});

/** GET /v2/<repository>/manifests/<tag or digest>: the bytes as served, with their own digest. */
export function getManifest(
  session: Session,
  repository: string,
  reference: string,
  signal?: AbortSignal,
): Promise<FetchedManifest> {
  const name = nameOf(repository, reference);
  return session.explained(`read the manifest of ${name}`, signal, async () => {
    const answer = await session.call({
      method: 'GET',
      path: pathOf(repository, reference),
      headers: ACCEPT,
      scopes: [scopeOf(repository, session.options.role)],
      accept: [200],
      signal,
    });
    const bytes = await readAll(answer, MAX_MANIFEST).catch((error: unknown) => {
      if (error instanceof RangeError) throw notReadable(session, name, error.message);
      throw error;
    });
    const digest = digestOf(bytes);
    const promised = isDigest(reference) ? reference : answer.header('docker-content-digest');
    if (promised !== undefined && isDigest(promised) && promised !== digest) {
      throw new DeliverError('E_DIGEST', {
        what: `The manifest of ${name} at ${session.options.host} is not what was promised.`,
        why: `expected ${promised}, got ${digest}`,
      });
    }
    const mediaType = mediaTypeOf(bytes, answer.header('content-type'));
    if (mediaType === undefined) {
      throw notReadable(
        session,
        name,
        `it is ${answer.header('content-type') ?? 'of no known type'}, neither an OCI nor a Docker v2 manifest`,
      );
    }
    return { bytes, descriptor: { mediaType, digest, size: bytes.byteLength } };
  });
}

/** What the tag or digest points to now; undefined when absent, or when a policy hides it. */
export function headManifest(
  session: Session,
  repository: string,
  reference: string,
  signal?: AbortSignal,
): Promise<Digest | undefined> {
  return session.explained(`look for ${nameOf(repository, reference)}`, signal, () =>
    digestAt(session, repository, reference, signal),
  );
}

/** PUT with the very bytes. Repeating an identical put succeeds, also where the tag is immutable. */
export function putManifest(
  session: Session,
  repository: string,
  reference: string,
  mediaType: string,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  return session.explained(`write the manifest of ${nameOf(repository, reference)}`, signal, async () => {
    try {
      const answer = await session.call({
        method: 'PUT',
        path: pathOf(repository, reference),
        headers: { 'content-type': mediaType },
        body: bytes,
        scopes: [scopeOf(repository, session.options.role)],
        accept: [200, 201, 202],
        signal,
      });
      await discard(answer);
    } catch (error) {
      // Harbor refuses an immutable tag even for the same bytes, for example when the first answer was lost on the way.
      const refused = error instanceof HttpProblem && error.status === 412;
      if (refused && (await digestAt(session, repository, reference, signal)) === digestOf(bytes)) return;
      throw error;
    }
  });
}

async function digestAt(
  session: Session,
  repository: string,
  reference: string,
  signal?: AbortSignal,
): Promise<Digest | undefined> {
  const call = {
    path: pathOf(repository, reference),
    headers: ACCEPT,
    scopes: [scopeOf(repository, session.options.role)],
    signal,
  };
  const answer = await session.call({ ...call, method: 'HEAD', accept: [200, 404, 412] });
  await discard(answer);
  if (answer.status !== 200) return undefined;
  const digest = answer.header('docker-content-digest');
  if (digest !== undefined && isDigest(digest)) return digest;
  // Old registries send no such header.
  const whole = await session.call({ ...call, method: 'GET', accept: [200] });
  return digestOf(await readAll(whole, MAX_MANIFEST));
}

function mediaTypeOf(bytes: Uint8Array, header: string | undefined): string | undefined {
  const served = (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (isManifestType(served)) return served;
  const head = ManifestHead.safeParse(parseJson(Buffer.from(bytes).toString('utf8')));
  if (!head.success) return undefined;
  const { mediaType, manifests, layers } = head.data;
  if (mediaType !== undefined) return isManifestType(mediaType) ? mediaType : undefined;
  if (Array.isArray(manifests)) return MEDIA.index;
  return Array.isArray(layers) ? MEDIA.manifest : undefined;
}

function notReadable(session: Session, name: string, why: string): DeliverError {
  return new DeliverError(session.options.role === 'source' ? 'E_SOURCE' : 'E_REGISTRY', {
    what: `${session.options.host}: the manifest of ${name} can’t be used.`,
    why,
  });
}

function nameOf(repository: string, reference: string): string {
  return isDigest(reference) ? `${repository}@${reference}` : `${repository}:${reference}`;
}

function pathOf(repository: string, reference: string): string {
  return `/v2/${repository}/manifests/${reference}`;
}
