import { fail } from './errors.ts';

export const TAG = /^\w[\w.-]{0,127}$/;
export const SHA256 = /^sha256:[0-9a-f]{64}$/;
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const MANIFESTS = [OCI_MANIFEST, DOCKER_MANIFEST];
const INDEXES = [OCI_INDEX, DOCKER_LIST];
const FOREIGN = /nondistributable|foreign/;

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  urls: string[];
  platform?: { architecture?: string; os?: string; variant?: string };
  annotations?: Record<string, string>;
}

export interface Manifest {
  mediaType: string;
  artifactType: string;
  isIndex: boolean;
  config: Descriptor | null;
  layers: Descriptor[];
  /** Children of an index. */
  manifests: Descriptor[];
  subject: Descriptor | null;
  annotations: Record<string, string>;
}

interface Raw extends Partial<Omit<Manifest, 'config' | 'layers' | 'manifests' | 'subject'>> {
  config?: Partial<Descriptor>;
  layers?: Partial<Descriptor>[];
  manifests?: Partial<Descriptor>[];
  subject?: Partial<Descriptor>;
}

export const isManifestType = (mediaType: string): boolean => [...MANIFESTS, ...INDEXES].includes(mediaType);

/** A layer that clients fetch elsewhere; without an URL it counts as missing. */
export const isForeign = (descriptor: Descriptor): boolean => FOREIGN.test(descriptor.mediaType);

const invalid = (message: string): Error => fail('MANIFEST_INVALID', message);

/** The words of Go's JSON decoder for the commonest case: text that is no JSON at all. */
function jsonProblem(text: string): string {
  const literal = ['null', 'true', 'false'].find((word) => word.startsWith(text.charAt(0)) && text !== '');
  if (literal === undefined) {
    return text === '' ? 'unexpected end of JSON input' : `invalid character '${text.charAt(0)}' looking for beginning of value`;
  }
  let at = 1;
  while (text.charAt(at) === literal.charAt(at) && at < literal.length) at += 1;
  return `invalid character '${text.charAt(at)}' in literal ${literal} (expecting '${literal.charAt(at)}')`;
}

function decode(bytes: Buffer): Raw {
  const text = bytes.toString('utf8');
  try {
    return JSON.parse(text) as Raw;
  } catch {
    throw invalid(`unmarshal manifest failed: ${jsonProblem(text)}`);
  }
}

const descriptor = (raw: Partial<Descriptor>): Descriptor => ({
  mediaType: raw.mediaType ?? '',
  digest: raw.digest ?? '',
  size: raw.size ?? 0,
  urls: raw.urls ?? [],
  ...(raw.platform === undefined ? {} : { platform: raw.platform }),
  ...(raw.annotations === undefined ? {} : { annotations: raw.annotations }),
});

/** What core and distribution 2.8 ask of a manifest before they look at its blobs. */
export function parseManifest(contentType: string, bytes: Buffer): Manifest {
  const raw = decode(bytes);
  // Any other type is read as a signed schema 1 manifest.
  if (!isManifestType(contentType)) throw invalid('unmarshal manifest failed: missing signature key');
  const stated = raw.mediaType ?? '';
  const optional = contentType === OCI_MANIFEST || contentType === OCI_INDEX;
  if (stated !== contentType && !(optional && stated === '')) {
    throw invalid(`${optional ? 'if present, ' : ''}mediaType in manifest should be '${contentType}' not '${stated}'`);
  }
  const isIndex = INDEXES.includes(contentType);
  if (!isIndex && raw.manifests !== undefined)
    throw invalid('unmarshal manifest failed: expected image manifest but found index');
  if (isIndex && (raw.config !== undefined || raw.layers !== undefined)) {
    throw invalid('unmarshal manifest failed: expected index but found image manifest');
  }
  return {
    mediaType: contentType,
    artifactType: raw.artifactType ?? '',
    isIndex,
    config: isIndex ? null : descriptor(raw.config ?? {}),
    layers: (raw.layers ?? []).map(descriptor),
    manifests: (raw.manifests ?? []).map(descriptor),
    subject: raw.subject === undefined ? null : descriptor(raw.subject),
    annotations: raw.annotations ?? {},
  };
}
