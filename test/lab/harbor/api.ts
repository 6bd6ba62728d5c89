import { readBody } from './body.ts';
import type { Exchange } from './context.ts';
import { badRequest, fail, notFound } from './errors.ts';
import { bodyProblems, methodsOf, templateOf } from './openapi.ts';
import { sendJson } from './reply.ts';
import { artifactRoutes } from './api-artifacts.ts';
import { configurationRoutes } from './api-configurations.ts';
import { immutableRoutes } from './api-immutable.ts';
import { preheatRoutes } from './api-preheat.ts';
import { projectRoutes } from './api-projects.ts';
import { quotaRoutes } from './api-quotas.ts';
import { registryRoutes } from './api-registries.ts';
import { replicationRoutes } from './api-replication.ts';
import { repositoryRoutes } from './api-repositories.ts';
import { robotRoutes } from './api-robots.ts';
import { systemRoutes } from './api-system.ts';
import { tagRoutes } from './api-tags.ts';

export type Params = Readonly<Record<string, string>>;
export type ApiHandler = (x: Exchange, params: Params, body: unknown) => void | Promise<void>;
/** By `METHOD template`, the template as in Harbor's API description. */
export type Routes = Readonly<Record<string, ApiHandler>>;

const ROUTES: Routes = {
  ...systemRoutes,
  ...configurationRoutes,
  ...projectRoutes,
  ...quotaRoutes,
  ...robotRoutes,
  ...immutableRoutes,
  ...repositoryRoutes,
  ...artifactRoutes,
  ...tagRoutes,
  ...registryRoutes,
  ...replicationRoutes,
  ...preheatRoutes,
};
const BASE = '/api/v2.0';
const MAX_BODY = 4 * 1024 * 1024;

/** Decodes each segment once; what then still holds a slash was not encoded twice, and nginx would have split it. */
function segmentsOf(x: Exchange): string[] | null {
  try {
    const segments = x.rawPath.slice(BASE.length).split('/').map(decodeURIComponent);
    return segments.some((segment) => segment.includes('/')) ? null : segments;
  } catch {
    return null;
  }
}

function paramsOf(template: string, segments: readonly string[]): Params {
  const names = template.split('/');
  return Object.fromEntries(
    names.flatMap((name, i) => (name.startsWith('{') ? [[name.slice(1, -1), decodeURIComponent(segments[i] ?? '')]] : [])),
  );
}

async function bodyOf(x: Exchange, template: string): Promise<unknown> {
  const text = (await readBody(x, MAX_BODY)).toString('utf8');
  if (text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRequest('parsing body from "" failed, because invalid character looking for beginning of value');
  }
  const problems = bodyProblems(x.method, template, value);
  const mistyped = problems.find((problem) => problem.keyword === 'type');
  if (mistyped !== undefined) {
    throw badRequest(
      `parsing body from "" failed, because json: cannot unmarshal ${mistyped.instancePath}: ${mistyped.message ?? ''}`,
    );
  }
  if (problems.length > 0) {
    const list = problems.map((problem) => `${problem.instancePath.slice(1)} in body ${problem.message ?? ''}`);
    throw fail('UNPROCESSABLE_ENTITY', ['validation failure list:', ...list].join('\n'));
  }
  return value;
}

function checkPaging(x: Exchange): void {
  for (const name of ['page', 'page_size']) {
    const value = x.query.get(name);
    if (value === null) continue;
    const problem = !/^-?\d+$/.test(value)
      ? `${name} in query must be of type int64: "${value}"`
      : name === 'page_size' && Number(value) > 100
        ? 'page_size in query should be less than or equal to 100'
        : null;
    if (problem !== null) throw fail('UNPROCESSABLE_ENTITY', `validation failure list:\n${problem}`);
  }
}

export async function handleApi(x: Exchange): Promise<void> {
  if (x.rawPath === '/api/version' && x.method === 'GET') {
    sendJson(x, 200, { version: 'v2.0' });
    return;
  }
  const unknown = notFound(`path ${safelyDecoded(x.rawPath)} was not found`);
  const segments = x.rawPath.startsWith(`${BASE}/`) ? segmentsOf(x) : null;
  if (segments === null) throw unknown;
  const template = templateOf(segments.join('/'));
  if (template === null) throw unknown;
  const handler = ROUTES[`${x.method} ${template}`];
  if (handler === undefined) {
    throw fail('METHOD_NOT_ALLOWED', `method ${x.method} is not allowed, but [${methodsOf(template).join(',')}] are`);
  }
  checkPaging(x);
  await handler(x, paramsOf(template, segments), await bodyOf(x, template));
}

function safelyDecoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
