import type { Json } from '../core/canonical-json.ts';
import { isDigest, type Digest } from '../core/digest.ts';
import { MEDIA } from '../core/oci.ts';
import { bytesAnswer, errorAnswer, headOf, jsonAnswer } from './answers.ts';
import { BlobAnswers, type BlobBundle } from './blob-answer.ts';
import { folderOf, type Catalog, type CatalogBundle, type ServedRepository } from './catalog.ts';
import { pageOf } from './page.ts';
import type { ServeAnswer, ServeRequest } from './port.ts';
import { parseRoute, type Route } from './route.ts';

type Answerer = (request: ServeRequest, signal: AbortSignal) => Promise<ServeAnswer>;
type Named = Extract<Route, { readonly query: URLSearchParams; readonly name: string }>;

/**
 * The pull and discovery part of the OCI distribution-spec over a bundle; whatever would write is UNSUPPORTED.
 * @returns a function that throws only what a blob throws that can't be read
 */
export function endpointOf(bundle: CatalogBundle & BlobBundle, catalog: Catalog): Answerer {
  const blobs = new BlobAnswers(bundle);
  const found = async (
    route: Named,
    repository: ServedRepository,
    request: ServeRequest,
    signal: AbortSignal,
  ): Promise<ServeAnswer> => {
    if (route.kind === 'tags') return tagList(route, repository);
    if (route.kind === 'referrers') return referrers(route.digest, route.query, repository);
    if (route.kind === 'manifest') return manifest(bundle, route.reference, repository);
    const { digest } = route;
    const place = isDigest(digest) && repository.blobs.has(digest) ? bundle.blobs.get(digest) : undefined;
    if (!isDigest(digest) || place === undefined) return errorAnswer('BLOB_UNKNOWN', `${repository.name} has no blob ${digest}`);
    return blobs.answer(digest, place.size, request, signal);
  };
  const answer: Answerer = async (request, signal) => {
    const route = parseRoute(request.target);
    const wrong = refusal(route, request.method);
    if (wrong !== undefined) return wrong;
    if (route.kind === 'catalog') return repositoryList(route.query, catalog);
    if (!isNamed(route)) return jsonAnswer({});
    const repository = repositoryFor(route, catalog);
    if (repository !== undefined) return found(route, repository, request, signal);
    // A registry that knows referrers never answers 404 there (distribution-spec, listing referrers).
    if (route.kind === 'referrers') return referrers(route.digest, route.query, undefined);
    return errorAnswer('NAME_UNKNOWN', `there is no repository ${route.name} in this bundle`);
  };
  return async (request, signal) => {
    const given = await answer(request, signal);
    return request.method === 'HEAD' ? headOf(given) : given;
  };
}

function isNamed(route: Route): route is Named {
  return 'query' in route && 'name' in route;
}

/** The answer where nothing needs to be looked up: malformed, unknown, or a write. */
function refusal(route: Route, method: string): ServeAnswer | undefined {
  if (route.kind === 'bad-name') return errorAnswer('NAME_INVALID', 'the repository name is not one');
  if (route.kind === 'bad-digest') return errorAnswer('DIGEST_INVALID', 'the digest is malformed');
  if (method !== 'GET' && method !== 'HEAD')
    return errorAnswer('UNSUPPORTED', 'this registry is read-only', { Allow: 'GET, HEAD' });
  if (route.kind === 'upload') return errorAnswer('BLOB_UPLOAD_UNKNOWN', 'this registry is read-only');
  return route.kind === 'nowhere' ? errorAnswer('UNSUPPORTED', 'there is nothing at this path', {}, 404) : undefined;
}

/**
 * With `ns`, as containerd asks its mirrors (containerd docs/hosts.md), only below the folder of that host: another host's image of
 * the same path must never be taken for it.
 */
function repositoryFor({ name, query }: Named, { repositories }: Catalog): ServedRepository | undefined {
  const ns = query.get('ns');
  const folder = ns === null || ns === '' ? undefined : folderOf(ns);
  if (folder === undefined) return repositories.get(name);
  return repositories.get(`${folder}/${name}`) ?? (name.startsWith(`${folder}/`) ? repositories.get(name) : undefined);
}

/** The manifest as it is, whatever Accept says: it has one form only, and the spec wants 200 for what exists. */
async function manifest(
  bundle: CatalogBundle,
  reference: string,
  { name, tags, manifests }: ServedRepository,
): Promise<ServeAnswer> {
  const digest = isDigest(reference) ? reference : tags.get(reference);
  const place = digest !== undefined && manifests.has(digest) ? bundle.blobs.get(digest) : undefined;
  if (digest === undefined || place === undefined) return errorAnswer('MANIFEST_UNKNOWN', `${name} has no manifest ${reference}`);
  return bytesAnswer(await bundle.bytes(digest), place.mediaType, { 'Docker-Content-Digest': digest });
}

function tagList({ name, query }: Named, { tags }: ServedRepository): ServeAnswer {
  return listed(`/v2/${name}/tags/list`, [...tags.keys()], query, (items) => ({ name, tags: items }));
}

function repositoryList(query: URLSearchParams, { repositories }: Catalog): ServeAnswer {
  return listed('/v2/_catalog', [...repositories.keys()], query, (items) => ({ repositories: items }));
}

function listed(
  path: string,
  all: readonly string[],
  query: URLSearchParams,
  content: (items: readonly string[]) => Json,
): ServeAnswer {
  const page = pageOf(all, query);
  if (page === undefined) return errorAnswer('PAGINATION_NUMBER_INVALID', '“n” must be a count');
  const { items, next } = page;
  return jsonAnswer(content(items), next === undefined ? {} : { headers: { Link: `<${path}?${next.toString()}>; rel="next"` } });
}

function referrers(subject: Digest, query: URLSearchParams, repository: ServedRepository | undefined): ServeAnswer {
  const wanted = query.getAll('artifactType').filter((type) => type !== '');
  const all = repository?.referrers.get(subject) ?? [];
  const manifests = wanted.length === 0 ? all : all.filter(({ artifactType }) => wanted.includes(artifactType ?? ''));
  const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests };
  return jsonAnswer(index as unknown as Json, {
    type: MEDIA.index,
    ...(wanted.length === 0 ? {} : { headers: { 'OCI-Filters-Applied': 'artifactType' } }),
  });
}
