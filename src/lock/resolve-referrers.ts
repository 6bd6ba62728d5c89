import { isDeliverError, DeliverError } from '../core/errors.ts';
import type { Digest } from '../core/digest.ts';
import type { RegistryReader } from '../registry/port.ts';
import { manifestFacts } from '../serve/manifest-facts.ts';
import type { LockedReferrer } from './lock-schema.ts';
import { parseManifest } from './oci-manifest.ts';

/** A signature of an attestation of an image; what goes deeper is a circle or a joke. */
const MAX_DEPTH = 3;
/** Things about one image. */
const MAX_REFERRERS = 500;

export interface ReferrerSource {
  readonly reader: RegistryReader;
  readonly repository: string;
  /** The image, for messages. */
  readonly name: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What refers to these manifests, and to those again, by digest and size, each once, in an order that does not depend on the source.
 * @throws DeliverError E_IMAGE_FORMAT, E_SOURCE*
 */
export async function resolveReferrers(subjects: readonly Digest[], source: ReferrerSource): Promise<readonly LockedReferrer[]> {
  const known = new Map<Digest, LockedReferrer>();
  let wave = [...subjects];
  for (let depth = 0; depth < MAX_DEPTH && wave.length > 0; depth++) {
    const found = (await Promise.all(wave.map((subject) => referrersOf(subject, source)))).flat();
    const fresh = found.filter(({ digest }) => !known.has(digest) && !subjects.includes(digest));
    for (const referrer of fresh) known.set(referrer.digest, known.get(referrer.digest) ?? referrer);
    if (known.size > MAX_REFERRERS) throw tooMany(source.name, known.size);
    wave = fresh.map(({ digest }) => digest);
  }
  return [...known.values()];
}

async function referrersOf(subject: Digest, { reader, repository, name, signal }: ReferrerSource): Promise<LockedReferrer[]> {
  const found = await reader.referrers(repository, subject, signal);
  const locked: LockedReferrer[] = [];
  for (const { digest, tag } of found.toSorted((a, b) => (a.digest < b.digest ? -1 : 1))) {
    const served = await reader.manifest(repository, digest, signal).catch((error: unknown) => {
      // Lists outlive what they name: registries clean up one and not the other.
      if (isDeliverError(error, 'E_SOURCE_NOT_FOUND')) return undefined;
      throw error;
    });
    if (served === undefined) continue;
    const facts = manifestFacts(served.bytes, served.descriptor);
    // Whoever may write the list may name anything in it.
    if (tag === undefined && facts?.subject !== subject) continue;
    const { mediaType, size } = served.descriptor;
    const { config, layers } = parseManifest(mediaType, served.bytes, `${digest}, which refers to ${name},`);
    const artifactType = facts?.descriptor.artifactType;
    const blobs = new Map([config, ...layers].map((blob) => [blob.digest, blob]));
    locked.push({
      digest,
      size,
      mediaType,
      ...(artifactType === undefined ? {} : { artifactType }),
      subject,
      ...(tag === undefined ? {} : { tag }),
      blobs: [...blobs.values()].map((blob) => ({ digest: blob.digest, size: blob.size, mediaType: blob.mediaType })),
    });
  }
  return locked;
}

function tooMany(name: string, count: number): DeliverError {
  return new DeliverError('E_IMAGE_FORMAT', {
    what: `${name} has too many referrers to carry.`,
    why: `At least ${String(count)} things refer to it.`,
    fix: 'Clean up its repository, or leave out referrers: true.',
  });
}
