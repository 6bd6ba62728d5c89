import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { accessoryRole, kindOf } from './artifact-kind.ts';
import { ensureRepository, isDigest, setTag } from './artifacts.ts';
import { readBody } from './body.ts';
import { isoTime } from './context.ts';
import type { Exchange } from './context.ts';
import { HarborError, badRequest, fail } from './errors.ts';
import { checkMayPush } from './immutable.ts';
import { SHA256, TAG, isForeign, isManifestType, parseManifest } from './manifest.ts';
import type { Descriptor, Manifest } from './manifest.ts';
import { charge, reserve } from './quota.ts';
import type { Artifact } from './state.ts';
import { nextId } from './state.ts';
import { forward, relay } from './upstream.ts';
import { heldBlob, recordBlob, storedSize } from './v2-blobs.ts';
import type { V2Target } from './v2.ts';

const MAX_MANIFEST = 4 * 1024 * 1024;

const blobsOf = (manifest: Manifest): Descriptor[] =>
  (manifest.config === null ? manifest.layers : [manifest.config, ...manifest.layers]).filter(
    (descriptor) => !isForeign(descriptor) || descriptor.urls.length === 0,
  );

/** What core's own record lacks may still lie in the registry, whose word counts: say, in a project that was made again. */
async function isHeld(x: Exchange, repository: string, digest: string): Promise<boolean> {
  if (heldBlob(x, repository, digest) !== undefined) return true;
  const size = SHA256.test(digest) ? await storedSize(x, repository, digest) : null;
  if (size !== null) recordBlob(x, repository, digest, size);
  return size !== null;
}

/** Everything a manifest names must be in the SAME repository already; all that lacks is listed at once. */
async function checkReferences(x: Exchange, repository: string, manifest: Manifest): Promise<void> {
  const artifacts = x.harbor.state.repositories[repository]?.artifacts ?? {};
  const missing: Descriptor[] = [];
  for (const descriptor of [...blobsOf(manifest), ...manifest.manifests]) {
    const isManifest = manifest.isIndex || isManifestType(descriptor.mediaType);
    const present = isManifest ? descriptor.digest in artifacts : await isHeld(x, repository, descriptor.digest);
    if (!present || isForeign(descriptor)) missing.push(descriptor);
  }
  if (missing.length === 0) return;
  throw new HarborError(
    missing.map(({ digest }) => ({ code: 'MANIFEST_BLOB_UNKNOWN', message: 'blob unknown to registry', detail: digest })),
  );
}

function checkReference(reference: string, digest: string): void {
  if (!isDigest(reference)) {
    if (!TAG.test(reference)) throw badRequest(`bad request: invalid tag name: ${reference}`);
  } else if (reference !== digest) {
    throw fail('DIGEST_INVALID', 'provided digest did not match uploaded content');
  }
}

function bytesToAdd(target: V2Target, manifest: Manifest, digest: string, size: number): number {
  const counted = target.project.blobs;
  const blobs = new Map(blobsOf(manifest).map((descriptor) => [descriptor.digest, descriptor.size]));
  if (!(digest in counted)) blobs.set(digest, size);
  return [...blobs].reduce((sum, [each, bytes]) => sum + (each in counted ? 0 : bytes), 0);
}

function record(x: Exchange, target: V2Target, manifest: Manifest, digest: string, manifestSize: number): void {
  const { harbor } = x;
  const repository = ensureRepository(harbor, target.project, target.repository);
  const tag = isDigest(target.reference) ? null : target.reference;
  const role = accessoryRole(manifest, tag);
  const blobs = blobsOf(manifest);
  const artifact: Artifact = {
    ...kindOf(manifest),
    id: nextId(harbor.state, 'artifact'),
    digest,
    manifestMediaType: manifest.mediaType,
    size: manifestSize + blobs.reduce((sum, descriptor) => sum + descriptor.size, 0),
    manifestSize,
    pushTime: isoTime(harbor.now()),
    annotations: manifest.annotations,
    references: manifest.manifests.map(({ digest: child, platform, annotations }) => ({
      digest: child,
      ...(platform === undefined ? {} : { platform }),
      ...(annotations === undefined ? {} : { annotations }),
    })),
    blobs: blobs.map((descriptor) => descriptor.digest),
    subject: role?.subject ?? null,
    accessoryType: role?.type ?? null,
  };
  const known = repository.artifacts[digest];
  repository.artifacts[digest] =
    known?.accessoryType === null && role !== null ? { ...artifact, id: known.id } : (known ?? artifact);
  if (tag !== null) setTag(harbor, repository, tag, digest);
  for (const descriptor of blobs) charge(target.project, descriptor.digest, descriptor.size);
  charge(target.project, digest, manifestSize);
}

export async function putManifest(x: Exchange, target: V2Target): Promise<void> {
  const { harbor } = x;
  const bytes = await readBody(x, MAX_MANIFEST);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (!isDigest(target.reference)) checkMayPush(harbor.state, harbor.state.repositories[target.repository], target.reference);
  const contentType = x.req.headers['content-type'] ?? '';
  const manifest = parseManifest((contentType.split(';')[0] ?? '').trim(), bytes);
  checkReference(target.reference, digest);
  const release = reserve(harbor, target.project, bytesToAdd(target, manifest, digest, bytes.length));
  try {
    await checkReferences(x, target.repository, manifest);
    const answer = await forward(x, {
      method: 'PUT',
      path: `/v2/${target.repository}/manifests/${encodeURIComponent(target.reference).replace('%3A', ':')}`,
      headers: { 'Content-Type': contentType, 'Content-Length': bytes.length },
      body: bytes,
    });
    const headers: OutgoingHttpHeaders = {};
    if (answer.statusCode === 201) {
      record(x, target, manifest, digest, bytes.length);
      await harbor.store.commit();
      if (manifest.subject !== null) headers['OCI-Subject'] = manifest.subject.digest;
    }
    await relay(x, answer, headers);
  } finally {
    release();
  }
}
