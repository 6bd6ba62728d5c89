import { z } from 'zod';
import { canonicalJson, type Json } from '../core/canonical-json.ts';
import { hexOf, isDigest, type Digest } from '../core/digest.ts';
import { DeliverError, isDeliverError } from '../core/errors.ts';
import { MEDIA, type Descriptor } from '../core/oci.ts';
import { discard, readAll } from './http-client.ts';
import type { HttpAnswer } from './http-call.ts';
import { parseJson } from './http-problem.ts';
import { cosignTags } from './cosign.ts';
import { getManifest, headManifest, putManifest } from './manifests.ts';
import type { FoundReferrer } from './port.ts';
import { scopeOf } from './scopes.ts';
import type { Session } from './session.ts';

const MAX_LIST = 4 * 1024 * 1024;
/** Pages of one list; whoever has more signatures than this has a loop. */
const MAX_PAGES = 50;

const Entry = z.looseObject({
  mediaType: z.string(),
  digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
  size: z.int().min(0),
  artifactType: z.string().optional().catch(undefined),
  annotations: z.record(z.string(), z.string()).optional().catch(undefined),
});
const List = z.looseObject({ manifests: z.array(Entry).nullish() });

/** Tag of the list of referrers where a registry keeps none itself (distribution-spec, “Referrers Tag Schema”). */
export function referrersTag(subject: Digest): string {
  return `sha256-${hexOf(subject)}`;
}

/** GET /v2/<repository>/referrers/<digest>; a registry that has no such API answers 404, and the tag says it. Then cosign's tags. */
export function readReferrers(
  session: Session,
  repository: string,
  subject: Digest,
  signal?: AbortSignal,
): Promise<readonly FoundReferrer[]> {
  return session.explained(`list what refers to ${repository}@${subject}`, signal, async () => {
    const listed = await fromApi(session, repository, subject, signal);
    const naming = listed ?? (await fromTag(session, repository, subject, signal));
    const found: FoundReferrer[] = naming.map(({ digest }) => ({ digest }));
    for (const tag of cosignTags(subject)) {
      const digest = await headManifest(session, repository, tag, signal);
      if (digest !== undefined) found.push({ digest, tag });
    }
    return found;
  });
}

/** Adds to the referrers tag what it lacks, where there is no referrers API. */
export function linkReferrers(
  session: Session,
  repository: string,
  subject: Digest,
  referrers: readonly Descriptor[],
  signal?: AbortSignal,
): Promise<boolean> {
  return session.explained(`list what refers to ${repository}@${subject}`, signal, async () => {
    if ((await fromApi(session, repository, subject, signal)) !== undefined) return false;
    const there = await fromTag(session, repository, subject, signal);
    const lacking = referrers.filter(({ digest }) => !there.some((one) => one.digest === digest));
    if (lacking.length === 0) return false;
    const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests: [...there, ...lacking] };
    const bytes = Buffer.from(canonicalJson(index as unknown as Json));
    await putManifest(session, repository, referrersTag(subject), MEDIA.index, bytes, signal);
    return true;
  });
}

/** Undefined when the registry has no referrers API. */
async function fromApi(
  session: Session,
  repository: string,
  subject: Digest,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[] | undefined> {
  const found: Descriptor[] = [];
  let path = `/v2/${repository}/referrers/${subject}`;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await session.call({
      method: 'GET',
      path,
      headers: { accept: MEDIA.index },
      scopes: [scopeOf(repository, session.options.role)],
      // 400 and 405: registries whose router does not know the path at all.
      accept: [200, 400, 404, 405],
      signal,
    });
    if (answer.status !== 200) {
      await discard(answer);
      return undefined;
    }
    const list = List.safeParse(parseJson((await readAll(answer, MAX_LIST)).toString('utf8')));
    // A front page instead of an answer: as good as no API.
    if (!list.success) return undefined;
    found.push(...(list.data.manifests ?? []).map(descriptorOf));
    const next = nextPage(answer, path);
    if (next === undefined) return found;
    path = next;
  }
  throw new DeliverError('E_SOURCE', { what: `The list of what refers to ${repository}@${subject} does not end.` });
}

async function fromTag(
  session: Session,
  repository: string,
  subject: Digest,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[]> {
  try {
    const { bytes } = await getManifest(session, repository, referrersTag(subject), signal);
    const list = List.safeParse(parseJson(Buffer.from(bytes).toString('utf8')));
    return (list.data?.manifests ?? []).map(descriptorOf);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** What a site's registry answers for a tag that is not there is an E_REGISTRY with 404 behind it. */
function isMissing(error: unknown): boolean {
  if (isDeliverError(error, 'E_SOURCE_NOT_FOUND')) return true;
  const cause = isDeliverError(error) ? error.facts.cause : undefined;
  return cause instanceof Error && 'status' in cause && cause.status === 404;
}

function descriptorOf({ mediaType, digest, size, artifactType, annotations }: z.infer<typeof Entry>): Descriptor {
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined || artifactType === '' ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** RFC 8288 `Link: <…>; rel="next"`; only on the same host. */
function nextPage(answer: HttpAnswer, path: string): string | undefined {
  const link = /<([^>]+)>\s*;\s*rel="?next"?/i.exec(answer.header('link') ?? '')?.[1];
  if (link === undefined) return undefined;
  const url = new URL(link, new URL(path, 'http://registry.invalid'));
  return `${url.pathname}${url.search}`;
}
