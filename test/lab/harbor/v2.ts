import { can } from './access.ts';
import { challengeFor, refuse } from './challenge.ts';
import type { Need } from './challenge.ts';
import type { Exchange } from './context.ts';
import { badRequest, fail } from './errors.ts';
import { isAuthenticated, isSysadmin } from './identity.ts';
import { sendEmpty } from './reply.ts';
import type { Project } from './state.ts';
import { projectNamed } from './state.ts';
import { forward, relay } from './upstream.ts';
import { handleBlob } from './v2-blobs.ts';
import { sendCatalog, sendTags } from './v2-lists.ts';
import { putManifest } from './v2-manifest-put.ts';
import { handleManifest } from './v2-manifests.ts';
import { sendReferrers } from './v2-referrers.ts';
import { handleUpload } from './v2-uploads.ts';

const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const NAME = `(${COMPONENT}(?:/${COMPONENT})*)`;
const ROUTES = {
  manifest: new RegExp(`^/v2/${NAME}/manifests/([^/]+)$`),
  blob: new RegExp(`^/v2/${NAME}/blobs/([a-z0-9]+:[0-9a-fA-F]{32,})$`),
  upload: new RegExp(`^/v2/${NAME}/blobs/uploads/([A-Za-z0-9_.=-]*)$`),
  tags: new RegExp(`^/v2/${NAME}/tags/list()$`),
  referrers: new RegExp(`^/v2/${NAME}/referrers/(.+)$`),
};
const MAX_REPOSITORY = 255;
/** A project made (again) this much later than a token was issued makes that token void. */
const TOKEN_GRACE_SECONDS = 60;

/** What a handler gets once the caller was found entitled. */
export interface V2Target {
  project: Project;
  repository: string;
  /** Tag, digest or session id. */
  reference: string;
}

function route(path: string): { kind: keyof typeof ROUTES; repository: string; reference: string } | null {
  for (const [kind, pattern] of Object.entries(ROUTES)) {
    const match = pattern.exec(path);
    if (match) return { kind: kind as keyof typeof ROUTES, repository: match[1] ?? '', reference: match[2] ?? '' };
  }
  return null;
}

function needsOf(x: Exchange, repository: string): Need[] {
  const action = { GET: 'pull', HEAD: 'pull', DELETE: 'delete' }[x.method] ?? 'push';
  const needs: Need[] = [{ repository, action: action as Need['action'] }];
  const from = x.query.get('from');
  if (x.method === 'POST' && x.query.get('mount') !== null && from !== null) needs.push({ repository: from, action: 'pull' });
  return needs;
}

const projectOf = (x: Exchange, repository: string): Project | undefined =>
  projectNamed(x.harbor.state, repository.split('/')[0] ?? '');

/** One missing project, or one younger than the token, and the whole token is dropped [src v2_token.go]. */
function dropStaleToken(x: Exchange, needs: readonly Need[]): void {
  const token = x.principal;
  if (token.kind !== 'token') return;
  const good = needs.every((need) => {
    const project = projectOf(x, need.repository);
    return project !== undefined && token.issuedAt + TOKEN_GRACE_SECONDS >= Math.floor(Date.parse(project.creationTime) / 1000);
  });
  if (!good) x.principal = { kind: 'anonymous' };
}

/** The order of these checks decides which 401 a client sees [v2auth/auth.go check]. */
function authorise(x: Exchange, repository: string): Project {
  const needs = needsOf(x, repository);
  dropStaleToken(x, needs);
  for (const need of needs) {
    if (!x.hasAuthorization && (x.method === 'GET' || x.method === 'HEAD')) {
      throw refuse('authorize header needed to send HEAD to repository', challengeFor(x, needs));
    }
    const project = projectOf(x, need.repository);
    if (project === undefined) throw refuse(`project ${need.repository.split('/')[0] ?? ''} not found`, '');
    if (!can(x.harbor, x.principal, 'repository', need.action, project)) {
      throw refuse(`unauthorized to access repository: ${need.repository}, action: ${need.action}`, challengeFor(x, needs));
    }
  }
  const project = projectOf(x, repository);
  if (project === undefined) throw refuse(`project ${repository} not found`, '');
  return project;
}

async function handleRoot(x: Exchange): Promise<void> {
  if (!isAuthenticated(x.principal)) throw refuse('unauthorized', challengeFor(x, []));
  await relay(x, await forward(x, { method: x.method, path: '/v2/' }));
}

export async function handleV2(x: Exchange): Promise<void> {
  let path: string;
  try {
    path = decodeURIComponent(x.rawPath);
  } catch {
    throw badRequest('bad request: invalid path');
  }
  if (path === '/v2/') return handleRoot(x);
  if (path === '/v2/_catalog') {
    if (!isSysadmin(x.principal)) throw refuse('unauthorized to list catalog', challengeFor(x, []));
    sendCatalog(x);
    return;
  }
  if (path.endsWith('/blobs/uploads')) {
    sendEmpty(x, 301, { Location: `${x.rawPath}/${x.rawQuery === '' ? '' : `?${x.rawQuery}`}` });
    return;
  }
  const found = route(path);
  if (found === null) throw refuse(`un-recognized request: ${x.method} ${path}`, '');
  const { kind, repository, reference } = found;
  if (!repository.includes('/')) throw badRequest(`bad request: invalid repository name: ${repository}`);
  const target: V2Target = { project: authorise(x, repository), repository, reference };
  if (repository.length > MAX_REPOSITORY) throw fail('UNKNOWN', 'unknown error');

  if (kind === 'upload') await handleUpload(x, target);
  else if (kind === 'blob') await handleBlob(x, target);
  else if (kind === 'manifest') await (x.method === 'PUT' ? putManifest(x, target) : handleManifest(x, target));
  else if (x.method !== 'GET') throw fail('METHOD_NOT_ALLOWED', 'method not allowed');
  else if (kind === 'tags') sendTags(x, target);
  else sendReferrers(x, target);
}
