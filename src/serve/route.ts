import { isDigest, type Digest } from '../core/digest.ts';

/** The place that a request is about, with what is wrong about its names already said. */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog'; readonly query: URLSearchParams }
  | { readonly kind: 'tags'; readonly name: string; readonly query: URLSearchParams }
  | { readonly kind: 'manifest'; readonly name: string; readonly reference: string; readonly query: URLSearchParams }
  | { readonly kind: 'blob'; readonly name: string; readonly digest: string; readonly query: URLSearchParams }
  | { readonly kind: 'referrers'; readonly name: string; readonly digest: Digest; readonly query: URLSearchParams }
  | { readonly kind: 'upload'; readonly name: string }
  | { readonly kind: 'bad-name'; readonly name: string }
  | { readonly kind: 'bad-digest'; readonly digest: string }
  | { readonly kind: 'nowhere' };

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const MOST_NAME = 255;
/** Digests of other algorithms are digests too: they are unknown here, not malformed (image-spec descriptor.md). */
const DIGEST = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[A-Za-z0-9=_-]+$/;
const OTHER_LENGTHS: Readonly<Record<string, RegExp>> = { sha512: /^sha512:[0-9a-f]{128}$/, sha384: /^sha384:[0-9a-f]{96}$/ };

/** Takes the target of a request apart (distribution-spec, endpoints). Never throws. */
export function parseRoute(target: string): Route {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
  const [root, version, ...segments] = path.split('/').map(decoded);
  if (root !== '' || version !== 'v2') return { kind: 'nowhere' };
  if (segments.length === 0 || (segments.length === 1 && segments[0] === '')) return { kind: 'base' };
  if (segments.length === 1 && segments[0] === '_catalog') return { kind: 'catalog', query };
  return below(segments, query);
}

function below(segments: readonly string[], query: URLSearchParams): Route {
  const [verb, last = ''] = segments.slice(-2);
  const name = segments.slice(0, -2).join('/');
  if (segments.at(-3) === 'blobs' && verb === 'uploads')
    return named(segments.slice(0, -3).join('/'), (at) => ({ kind: 'upload', name: at }));
  if (verb === 'blobs' && last === 'uploads') return named(name, () => ({ kind: 'upload', name }));
  if (verb === 'tags' && last === 'list') return named(name, () => ({ kind: 'tags', name, query }));
  if (verb === 'manifests') {
    return named(name, () =>
      last.includes(':') ? withDigest(last, () => manifest(name, last, query)) : manifest(name, last, query),
    );
  }
  if (verb === 'blobs') return named(name, () => withDigest(last, () => ({ kind: 'blob', name, digest: last, query })));
  if (verb === 'referrers') {
    return named(name, () => withDigest(last, () => ({ kind: 'referrers', name, digest: last as Digest, query })));
  }
  return { kind: 'nowhere' };
}

function manifest(name: string, reference: string, query: URLSearchParams): Route {
  return { kind: 'manifest', name, reference, query };
}

function named(name: string, then: (name: string) => Route): Route {
  return name.length <= MOST_NAME && NAME.test(name) ? then(name) : { kind: 'bad-name', name };
}

function withDigest(digest: string, then: () => Route): Route {
  return isWellFormed(digest) ? then() : { kind: 'bad-digest', digest };
}

function isWellFormed(digest: string): boolean {
  if (digest.startsWith('sha256:')) return isDigest(digest);
  const algorithm = digest.slice(0, Math.max(0, digest.indexOf(':')));
  return DIGEST.test(digest) && (OTHER_LENGTHS[algorithm]?.test(digest) ?? true);
}

/** After the path was cut. What can't be decoded, or hides a slash, becomes what no name allows. */
function decoded(segment: string): string {
  try {
    const text = decodeURIComponent(segment);
    return text.includes('/') ? '%' : text;
  } catch {
    return '%';
  }
}
