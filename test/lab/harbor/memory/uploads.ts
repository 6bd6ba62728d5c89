import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { Growing } from './blobs.ts';
import { answer, refuse } from './call.ts';
import type { Call } from './call.ts';

interface Session {
  id: string;
  repository: string;
  data: Growing;
}

export interface Uploads {
  handle(call: Call, repository: string, id: string): Promise<void>;
}

const range = (session: Session): string => `0-${String(Math.max(0, session.data.size - 1))}`;

export function openUploads(): Uploads {
  const sessions = new Map<string, Session>();
  const key = randomBytes(16);
  const stateFor = (repository: string, id: string, offset: number): string =>
    `${String(offset)}.${createHmac('sha256', key)
      .update(`${repository}\n${id}\n${String(offset)}`)
      .digest('base64url')}`;

  const located = (call: Call, session: Session): Record<string, string> => {
    const state = call.flavour === 'distribution' ? `?_state=${stateFor(session.repository, session.id, session.data.size)}` : '';
    return {
      Location: call.locate(`/v2/${session.repository}/blobs/uploads/${session.id}${state}`),
      Range: range(session),
      'Docker-Upload-Uuid': session.id,
    };
  };

  const store = (call: Call, session: Session, digest: string): void => {
    sessions.delete(session.id);
    if (session.data.digest(digest.split(':')[0] ?? '') !== digest) {
      refuse(call, 400, 'DIGEST_INVALID', 'provided digest did not match uploaded content', {
        detail: { Digest: digest, Reason: {} },
      });
      return;
    }
    const canonical = session.data.digest('sha256');
    call.content.repository(session.repository).blobs.set(canonical, session.data.finish());
    const location = call.locate(`/v2/${session.repository}/blobs/${canonical}`);
    answer(call, 201, { Location: location, 'Docker-Content-Digest': canonical });
  };

  const receive = async (call: Call, session: Session): Promise<void> => {
    for await (const chunk of call.req as AsyncIterable<Buffer>) session.data.append(chunk);
  };

  const start = async (call: Call, repository: string): Promise<void> => {
    const mount = call.query.get('mount');
    const source = call.content.repositories.get(call.query.get('from') ?? '')?.blobs.get(mount ?? '');
    if (mount !== null && source !== undefined) {
      call.content.repository(repository).blobs.set(mount, source);
      answer(call, 201, { Location: call.locate(`/v2/${repository}/blobs/${mount}`), 'Docker-Content-Digest': mount });
      return;
    }
    const session = { id: randomUUID(), repository, data: call.store.begin() };
    sessions.set(session.id, session);
    const digest = call.query.get('digest');
    if (call.flavour === 'spec' && digest !== null) {
      await receive(call, session);
      store(call, session, digest);
      return;
    }
    answer(call, 202, located(call, session));
  };

  /** Distribution 2.8: the state must be ours and name the stored size; else the session is cancelled. */
  const open = (call: Call, repository: string, id: string): Session | null => {
    const session = sessions.get(id);
    const state = call.query.get('_state') ?? '';
    const signed = stateFor(repository, id, Number(state.split('.')[0])) === state;
    if (call.flavour === 'distribution' && !signed) {
      refuse(call, 404, 'BLOB_UPLOAD_INVALID', 'blob upload invalid');
      return null;
    }
    if (session?.repository !== repository) {
      refuse(call, 404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
      return null;
    }
    if (call.flavour === 'distribution' && state !== stateFor(repository, id, session.data.size)) {
      sessions.delete(id);
      refuse(call, 404, 'BLOB_UPLOAD_INVALID', 'blob upload invalid');
      return null;
    }
    return session;
  };

  const outOfOrder = (call: Call, session: Session): boolean => {
    const from = /^(\d+)-\d+$/.exec(call.req.headers['content-range'] ?? '')?.[1];
    return call.flavour === 'spec' && from !== undefined && Number(from) !== session.data.size;
  };

  return {
    handle: async (call, repository, id) => {
      if (id === '') return start(call, repository);
      const session = open(call, repository, id);
      if (session === null) return;
      if (call.method === 'GET') answer(call, 204, located(call, session));
      else if (call.method === 'DELETE') {
        sessions.delete(id);
        answer(call, 204);
      } else if (outOfOrder(call, session)) answer(call, 416, located(call, session));
      else if (call.method === 'PATCH') {
        await receive(call, session);
        answer(call, 202, located(call, session));
      } else if (call.method === 'PUT') {
        await receive(call, session);
        store(call, session, call.query.get('digest') ?? '');
      } else refuse(call, 405, 'UNSUPPORTED', 'The operation is unsupported.');
    },
  };
}
