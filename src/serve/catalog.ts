import { fileManifest } from '../bundle/artifact.ts';
import type { Bundle } from '../bundle/bundle.ts';
import { hexOf, isDigest, type Digest } from '../core/digest.ts';
import { isManifestType, type Descriptor } from '../core/oci.ts';
import { parseReference } from '../core/reference.ts';
import { planPush } from '../registry/push-plan.ts';
import { siteFolder } from '../registry/site-repository.ts';
import { manifestFacts, type ManifestFacts } from './manifest-facts.ts';
import { lexical } from './page.ts';

/** What clients find under one name. */
export interface ServedRepository {
  readonly name: string;
  /** In the order of the spec. */
  readonly tags: ReadonlyMap<string, Digest>;
  readonly manifests: ReadonlySet<Digest>;
  /** Configs, layers and manifests. */
  readonly blobs: ReadonlySet<Digest>;
  /** By the manifest that they are about. */
  readonly referrers: ReadonlyMap<Digest, readonly Descriptor[]>;
}

export interface Catalog {
  /** By name, in the order of the spec. */
  readonly repositories: ReadonlyMap<string, ServedRepository>;
  /** Hosts of the release's images: what nodes have a mirror for. */
  readonly sourceHosts: readonly string[];
  /** References that are not served, because a part of them is in the base of this delta. */
  readonly lacking: readonly string[];
}

export type CatalogBundle = Pick<Bundle, 'lock' | 'root' | 'blobs' | 'bytes'>;

/** No host: every source host has a folder, as in a Harbor that is none of them. */
const NAMING = { registryHost: '' };

/** Path below this endpoint for everything of a source host: `docker.io`, `harbor.site-8443`. */
export function folderOf(host: string): string | undefined {
  return siteFolder(host, NAMING);
}

/**
 * What a bundle holds, as repositories: images below their source host, `charts/<name>`, `files/<name>`, `releases/<name>`,
 * and whatever refers to a manifest in the same repository as that manifest.
 * @throws DeliverError E_DIGEST when a manifest is damaged
 */
export async function catalogOf(bundle: CatalogBundle): Promise<Catalog> {
  const facts = await readManifests(bundle);
  const making = new Map<string, Making>();
  const lacking: string[] = [];
  const { lock } = bundle;
  for (const item of planPush(lock, NAMING).items) {
    const parts = [item.root, ...item.children, ...item.blobs];
    const tag = isDigest(item.tag) ? undefined : item.tag;
    if (parts.every(({ digest }) => bundle.blobs.has(digest))) add(making, item.repository, tag, item.root.digest, parts);
    else lacking.push(item.name);
  }
  for (const file of lock.files) {
    const { digest } = fileManifest(file).descriptor;
    const whole = bundle.blobs.has(digest) && bundle.blobs.has(file.digest);
    if (whole) addArtifact(making, facts, `files/${nameOf(file.name)}`, lock.metadata.version, digest);
    else lacking.push(`file ${file.name}`);
  }
  addArtifact(making, facts, `releases/${lock.metadata.name}`, lock.metadata.version, bundle.root.digest);
  const repositories = [...making.values()].map((one) => finished(one, facts, bundle)).sort((a, b) => lexical(a.name, b.name));
  return {
    repositories: new Map(repositories.map((repository) => [repository.name, repository])),
    sourceHosts: [...new Set(lock.images.map(({ reference }) => parseReference(reference).host))].toSorted(),
    lacking,
  };
}

interface Making {
  readonly name: string;
  readonly tags: Map<string, Digest>;
  readonly digests: Set<Digest>;
}

type Facts = ReadonlyMap<Digest, ManifestFacts>;

async function readManifests(bundle: CatalogBundle): Promise<Facts> {
  const facts = new Map<Digest, ManifestFacts>();
  for (const [digest, { size, mediaType }] of bundle.blobs) {
    if (!isManifestType(mediaType)) continue;
    const found = manifestFacts(await bundle.bytes(digest), { digest, size, mediaType });
    if (found !== undefined) facts.set(digest, found);
  }
  return facts;
}

function add(
  making: Map<string, Making>,
  name: string,
  tag: string | undefined,
  root: Digest,
  parts: readonly { readonly digest: Digest }[],
): void {
  const repository = making.get(name) ?? { name, tags: new Map(), digests: new Set() };
  making.set(name, repository);
  if (tag !== undefined) repository.tags.set(tag, root);
  for (const { digest } of parts) repository.digests.add(digest);
}

/** An artifact that deliver made itself: its manifest says all that it needs. */
function addArtifact(making: Map<string, Making>, facts: Facts, name: string, tag: string, digest: Digest): void {
  const parts = [digest, ...(facts.get(digest)?.blobs ?? [])];
  const taken = making.get(name)?.tags.get(tag) ?? digest;
  // Names that differ only in case meet in one repository name.
  const free = taken === digest ? name : `${name}-x${hexOf(digest).slice(0, 12)}`;
  add(
    making,
    free,
    tag,
    digest,
    parts.map((part) => ({ digest: part })),
  );
}

function finished({ name, tags, digests }: Making, facts: Facts, { blobs }: CatalogBundle): ServedRepository {
  addReferrers(digests, facts);
  const referrers = new Map<Digest, Descriptor[]>();
  for (const digest of digests) {
    const { subject, descriptor } = facts.get(digest) ?? {};
    if (subject === undefined || descriptor === undefined) continue;
    referrers.set(subject, [...(referrers.get(subject) ?? []), descriptor]);
  }
  const held = [...digests].filter((digest) => blobs.has(digest));
  return {
    name,
    tags: new Map([...tags].sort(([a], [b]) => lexical(a, b))),
    manifests: new Set(held.filter((digest) => isManifestType(blobs.get(digest)?.mediaType ?? ''))),
    blobs: new Set(held),
    referrers,
  };
}

/** All that refers to the manifests of a repository, and to those again: signatures of attestations are pulled from here too. */
function addReferrers(digests: Set<Digest>, facts: Facts): void {
  for (let before = -1; before !== digests.size;) {
    before = digests.size;
    for (const [digest, { subject, children, blobs }] of facts) {
      if (subject === undefined || digests.has(digest) || !digests.has(subject)) continue;
      for (const part of [digest, ...children, ...blobs]) digests.add(part);
    }
  }
}

/** A file's name as a repository is named. */
function nameOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9._-]+/g, '-');
}
