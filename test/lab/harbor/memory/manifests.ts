import { answer, answerJson, refuse } from './call.ts';
import type { Call } from './call.ts';
import { sha256 } from './content.ts';
import type { RepositoryContent, StoredManifest } from './content.ts';

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const STRICT = /vnd\.oci\.image\.(manifest|index)\./;
const FOREIGN = /nondistributable|foreign/;

interface Described {
  digest?: string;
  mediaType?: string;
}
interface Body {
  mediaType?: string;
  artifactType?: string;
  annotations?: Record<string, string>;
  config?: Described;
  layers?: Described[];
  manifests?: Described[];
  subject?: Described;
}

const parse = (bytes: Buffer): Body => JSON.parse(bytes.toString('utf8')) as Body;

async function bodyOf(call: Call): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of call.req as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function missing(repository: RepositoryContent, body: Body): string[] {
  const blobs = [...(body.config ? [body.config] : []), ...(body.layers ?? [])].filter(
    (each) => !FOREIGN.test(each.mediaType ?? ''),
  );
  return [
    ...blobs.map((each) => each.digest ?? '').filter((digest) => !repository.blobs.has(digest)),
    ...(body.manifests ?? []).map((each) => each.digest ?? '').filter((digest) => !repository.manifests.has(digest)),
  ];
}

async function put(call: Call, name: string, reference: string): Promise<void> {
  const bytes = await bodyOf(call);
  const digest = sha256(bytes);
  const repository = call.content.repository(name);
  let body: Body;
  try {
    body = parse(bytes);
  } catch {
    refuse(call, 400, 'MANIFEST_INVALID', 'manifest invalid');
    return;
  }
  const unknown = missing(repository, body);
  if (unknown.length > 0) {
    const errors = unknown.map((detail) => ({ code: 'MANIFEST_BLOB_UNKNOWN', message: 'blob unknown to registry', detail }));
    answerJson(call, 400, { errors });
    return;
  }
  if (reference.includes(':') && reference !== digest) {
    refuse(call, 400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
    return;
  }
  repository.manifests.set(digest, { mediaType: call.req.headers['content-type'] ?? body.mediaType ?? '', bytes });
  if (!reference.includes(':')) repository.tags.set(reference, digest);
  const subject = call.flavour === 'spec' ? body.subject?.digest : undefined;
  answer(call, 201, {
    Location: call.locate(`/v2/${name}/manifests/${digest}`),
    'Docker-Content-Digest': digest,
    ...(subject === undefined ? {} : { 'OCI-Subject': subject }),
  });
}

/** Only distribution insists on the very type in Accept. */
function acceptable(call: Call, manifest: StoredManifest): boolean {
  if (call.flavour === 'spec' || !STRICT.test(manifest.mediaType)) return true;
  return (call.req.headers.accept ?? '').split(',').some((part) => part.split(';')[0]?.trim() === manifest.mediaType);
}

export async function handleManifest(call: Call, name: string, reference: string): Promise<void> {
  if (call.method === 'PUT') return put(call, name, reference);
  const repository = call.content.repositories.get(name);
  const digest = reference.includes(':') ? reference : repository?.tags.get(reference);
  const manifest = repository?.manifests.get(digest ?? '');
  if (manifest === undefined || digest === undefined || !acceptable(call, manifest)) {
    refuse(call, 404, 'MANIFEST_UNKNOWN', 'manifest unknown', { detail: { name, reference } });
    return;
  }
  if (call.method === 'DELETE') {
    repository?.tags.delete(reference);
    if (reference === digest) {
      repository?.manifests.delete(digest);
      for (const [tag, target] of repository?.tags ?? []) if (target === digest) repository?.tags.delete(tag);
    }
    answer(call, 202);
    return;
  }
  call.res.writeHead(200, {
    'Content-Type': manifest.mediaType,
    'Content-Length': manifest.bytes.length,
    'Docker-Content-Digest': digest,
    Etag: `"${digest}"`,
  });
  call.res.end(manifest.bytes);
}

export function sendReferrers(call: Call, name: string, subject: string): void {
  const wanted = call.query.get('artifactType');
  const all = [...(call.content.repositories.get(name)?.manifests ?? [])].flatMap(([digest, { mediaType, bytes }]) => {
    const body = parse(bytes);
    const artifactType = body.artifactType ?? body.config?.mediaType ?? '';
    if (body.subject?.digest !== subject) return [];
    return [
      { mediaType, digest, size: bytes.length, artifactType, ...(body.annotations ? { annotations: body.annotations } : {}) },
    ];
  });
  const shown = all.filter((each) => wanted === null || each.artifactType === wanted);
  const filtered: Record<string, string> = wanted === null ? {} : { 'OCI-Filters-Applied': 'artifactType' };
  answerJson(call, 200, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: shown }, { 'Content-Type': OCI_INDEX, ...filtered });
}
