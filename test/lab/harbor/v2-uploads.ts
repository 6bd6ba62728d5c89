import type { IncomingMessage } from 'node:http';
import { declaredLength } from './body.ts';
import type { Exchange } from './context.ts';
import { badRequest, fail } from './errors.ts';
import { charge, reserve } from './quota.ts';
import { forward, keptHeaders, relay } from './upstream.ts';
import { heldBlob, recordBlob, storedSize } from './v2-blobs.ts';
import type { V2Target } from './v2.ts';

/** Content-Range is not sent on: distribution 2.8 ignores it, and an out-of-order chunk is simply appended. */
const PASSED_ON = ['content-type', 'content-length', 'transfer-encoding'];

const sessionPath = (x: Exchange, { repository, reference }: V2Target): string =>
  `/v2/${repository}/blobs/uploads/${reference}${x.rawQuery === '' ? '' : `?${x.rawQuery}`}`;

/**
 * POST: a session, or a mount. A body, and `?digest=` with it, is ignored. What a mount would add must fit the quota;
 * without one the project must not be over its limit already.
 */
async function start(x: Exchange, { project, repository }: V2Target): Promise<void> {
  if (project.registryId !== null) {
    throw fail('DENIED', `denied: can not push artifact to a proxy project: ${project.name}`);
  }
  const mount = x.query.get('mount');
  const from = x.query.get('from');
  const size = mount !== null && from !== null ? heldBlob(x, from, mount) : undefined;
  const release = reserve(x.harbor, project, mount !== null && mount in project.blobs ? 0 : (size ?? 0));
  try {
    const query = mount !== null && from !== null ? `?${new URLSearchParams({ mount, from }).toString()}` : '';
    const path = `/v2/${repository}/blobs/uploads/${query}`;
    const answer = await forward(x, { method: 'POST', path, headers: { 'Content-Length': 0 } });
    if (answer.statusCode === 201 && mount !== null) {
      recordBlob(x, repository, mount, size ?? 0);
      charge(project, mount, size ?? 0);
      await x.harbor.store.commit();
    }
    await relay(x, answer);
  } finally {
    release();
  }
}

/** PATCH: always let through; the quota is looked at when the upload is closed. */
async function append(x: Exchange, target: V2Target): Promise<void> {
  const answer = await forward(x, {
    method: 'PATCH',
    path: sessionPath(x, target),
    headers: keptHeaders(x, PASSED_ON),
    body: 'client',
  });
  const last = /^0-(\d+)$/.exec(answer.headers.range ?? '')?.[1];
  if (answer.statusCode === 202 && last !== undefined) {
    x.harbor.sessions.set(target.reference, Number(last) === 0 && x.bytesIn === 0 ? 0 : Number(last) + 1);
  }
  await relay(x, answer);
}

/** The registry stores by sha256, whichever digest it was asked to check. */
async function keep(x: Exchange, target: V2Target, answer: IncomingMessage, digest: string): Promise<void> {
  const header = answer.headers['docker-content-digest'];
  const stored = typeof header === 'string' ? header : digest;
  const before = x.harbor.sessions.get(target.reference);
  const size =
    before === undefined && x.bytesIn === 0 ? await storedSize(x, target.repository, stored) : (before ?? 0) + x.bytesIn;
  recordBlob(x, target.repository, stored, size ?? 0);
  charge(target.project, stored, size ?? 0);
  x.harbor.sessions.delete(target.reference);
  await x.harbor.store.commit();
}

/**
 * PUT: closes the upload. The size counted beforehand is what the PATCHes brought plus the Content-Length;
 * a chunked body without one is counted only once it is stored.
 */
async function close(x: Exchange, target: V2Target): Promise<void> {
  const digest = x.query.get('digest') ?? '';
  if (digest === '') throw badRequest('exist blob require digest');
  const coming = (x.harbor.sessions.get(target.reference) ?? 0) + (declaredLength(x) ?? 0);
  const release = digest in target.project.blobs ? undefined : reserve(x.harbor, target.project, coming);
  try {
    const answer = await forward(x, {
      method: 'PUT',
      path: sessionPath(x, target),
      headers: keptHeaders(x, PASSED_ON),
      body: 'client',
    });
    if (answer.statusCode === 201) await keep(x, target, answer, digest);
    await relay(x, answer);
  } finally {
    release?.();
  }
}

export async function handleUpload(x: Exchange, target: V2Target): Promise<void> {
  if (x.method === 'POST' && target.reference === '') return start(x, target);
  if (x.method === 'PATCH') return append(x, target);
  if (x.method === 'PUT') return close(x, target);
  if (x.method === 'GET' || x.method === 'HEAD' || x.method === 'DELETE') {
    const answer = await forward(x, { method: x.method, path: sessionPath(x, target) });
    if (x.method === 'DELETE' && answer.statusCode === 204) x.harbor.sessions.delete(target.reference);
    return relay(x, answer);
  }
  throw fail('METHOD_NOT_ALLOWED', 'method not allowed');
}
