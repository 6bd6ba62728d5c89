import { canonicalJson, type Json } from '../core/canonical-json.ts';
import { digestOf } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { MEDIA, platformText, type Platform } from '../core/oci.ts';
import type { LockedBlob } from './lock-schema.ts';
import type { OciDescriptor, OciIndex } from './oci-manifest.ts';
import { isForNoMachine, parsePlatform, samePlatform } from './platform.ts';

/** What is wanted of an index. */
export interface Wanted {
  readonly platforms: readonly string[];
  /** Also BuildKit's attestations of what is chosen, which are found through an index only. */
  readonly attestations: boolean;
}

/** What a reference resolves to: one manifest, or an index and its children. */
export interface Selection {
  readonly top: LockedBlob;
  /** Absent when the reference resolves to one manifest. */
  readonly children?: readonly LockedBlob[];
}

/**
 * What a tag that points to an index resolves to for these platforms: one child, or an index of just the wanted ones
 * (the registry's own when nothing has to be left out; else a new one, whose bytes are in `data`).
 * @param name the image, for messages
 * @throws DeliverError E_PLATFORM naming what there is
 */
export function selectPlatforms(
  served: LockedBlob,
  index: OciIndex,
  { platforms, attestations }: Wanted,
  name: string,
): Selection {
  const wanted = platforms.map((text) => ({ text, child: childFor(index, parsePlatform(text)) }));
  const missing = wanted.filter(({ child }) => child === undefined).map(({ text }) => text);
  if (missing.length > 0)
    throw missingPlatforms(
      name,
      missing,
      index.manifests.map(({ platform }) => platform),
    );
  const machines = index.manifests.filter((child) => wanted.some((want) => want.child === child));
  const chosen = index.manifests.filter(
    (child) => machines.includes(child) || (attestations && machines.some(({ digest }) => subjectOf(child) === digest)),
  );
  const [only] = chosen;
  if (chosen.length === 1 && only !== undefined) return { top: lockedChild(only) };
  const top = chosen.length === index.manifests.length ? served : indexOf(chosen);
  return { top, children: chosen.map(lockedChild) };
}

/** @param found platforms that there are; undefined for one that does not say. */
export function missingPlatforms(
  name: string,
  missing: readonly string[],
  found: readonly (Platform | undefined)[],
): DeliverError {
  const known = found.filter((platform) => !isForNoMachine(platform));
  const there = known.map((platform) => (platform === undefined ? 'one that does not say for what' : platformText(platform)));
  return new DeliverError('E_PLATFORM', {
    what: `${name} does not exist for ${missing.join(', ')}.`,
    why: `It exists for ${there.length === 0 ? 'no platform' : [...new Set(there)].join(', ')}.`,
    fix: 'Take another image, or change platforms: in the release.',
  });
}

/** A child of an index as the lock holds it. */
export function lockedChild(child: OciDescriptor): LockedBlob {
  const { mediaType, digest, size, platform } = child;
  // unknown/unknown stays out: it is not a platform but a note beside one.
  const known = platform !== undefined && !isForNoMachine(platform) ? { platform: platformText(platform) } : {};
  return { digest, size, mediaType, ...known };
}

function childFor(index: OciIndex, platform: Platform): OciDescriptor | undefined {
  return index.manifests.find((child) => child.platform !== undefined && samePlatform(child.platform, platform));
}

/** The manifest that an attestation of BuildKit is about (buildkit, docs/attestations/attestation-storage.md). */
function subjectOf({ platform, annotations }: OciDescriptor): string | undefined {
  return isForNoMachine(platform) ? annotations?.['vnd.docker.reference.digest'] : undefined;
}

function indexOf(children: readonly OciDescriptor[]): LockedBlob {
  const manifests = children.map((child) => {
    const { mediaType, digest, size, platform, annotations } = child;
    return { mediaType, digest, size, platform, ...(subjectOf(child) === undefined ? {} : { annotations }) };
  });
  const bytes = Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: MEDIA.index, manifests } as unknown as Json));
  return { digest: digestOf(bytes), size: bytes.byteLength, mediaType: MEDIA.index, data: bytes.toString('base64') };
}
