import { accessoriesOf, artifactNotFound, deleteArtifact, findArtifact } from './artifacts.ts';
import type { Exchange } from './context.ts';
import { fail, notFound } from './errors.ts';
import { OCI_INDEX, OCI_MANIFEST, SHA256 } from './manifest.ts';
import { sendEmpty } from './reply.ts';
import type { Artifact, Repository } from './state.ts';
import { forward, relay } from './upstream.ts';
import type { V2Target } from './v2.ts';

function accepts(x: Exchange, mediaType: string): boolean {
  const accepted = (x.req.headers.accept ?? '').split(',').map((part) => (part.split(';')[0] ?? '').trim());
  return accepted.includes(mediaType);
}

/** Distribution 2.8: an OCI manifest or index is only served to who names that very type; a wildcard does not count. */
function checkAccept(x: Exchange, artifact: Artifact): void {
  const type = artifact.manifestMediaType;
  if (type === OCI_MANIFEST && !accepts(x, type)) {
    throw fail('MANIFEST_UNKNOWN', 'OCI manifest found, but accept header does not support OCI manifests');
  }
  if (type === OCI_INDEX && !accepts(x, type)) {
    throw fail('MANIFEST_UNKNOWN', 'OCI index found, but accept header does not support OCI indexes');
  }
}

/** With cosign content trust on, even a HEAD of an unsigned image is refused. Signatures are counted, not verified. */
function checkTrust(target: V2Target, repository: Repository, artifact: Artifact): void {
  if (target.project.metadata.enable_content_trust_cosign !== 'true' || artifact.accessoryType !== null) return;
  const signed = accessoriesOf(repository, artifact.digest).some((accessory) => accessory.accessoryType === 'signature.cosign');
  if (!signed) throw fail('PROJECTPOLICYVIOLATION', 'The image is not signed by cosign.');
}

function find(x: Exchange, { repository: name, reference }: V2Target): { repository: Repository; artifact: Artifact } {
  const repository = x.harbor.state.repositories[name];
  if (repository === undefined) throw notFound(`repository ${name} not found`);
  const artifact = findArtifact(repository, reference);
  if (artifact === undefined) throw artifactNotFound(name, reference);
  return { repository, artifact };
}

async function serve(x: Exchange, target: V2Target): Promise<void> {
  const { repository, artifact } = find(x, target);
  checkTrust(target, repository, artifact);
  checkAccept(x, artifact);
  const headers: Record<string, string> = { Accept: artifact.manifestMediaType };
  const known = x.req.headers['if-none-match'];
  if (known !== undefined) headers['If-None-Match'] = known;
  const answer = await forward(x, { method: x.method, path: `/v2/${target.repository}/manifests/${artifact.digest}`, headers });
  if (x.method === 'GET') repository.pullCount += 1;
  await relay(x, answer);
}

async function remove(x: Exchange, target: V2Target): Promise<void> {
  if (!SHA256.test(target.reference)) {
    throw fail('UNSUPPORTED', `unsupported digest ${target.reference}: invalid checksum digest format`);
  }
  const { repository, artifact } = find(x, target);
  deleteArtifact(x.harbor, repository, artifact);
  await x.harbor.store.commit();
  sendEmpty(x, 202);
}

export async function handleManifest(x: Exchange, target: V2Target): Promise<void> {
  if (x.method === 'GET' || x.method === 'HEAD') await serve(x, target);
  else if (x.method === 'DELETE') await remove(x, target);
  else throw fail('METHOD_NOT_ALLOWED', 'method not allowed');
}
