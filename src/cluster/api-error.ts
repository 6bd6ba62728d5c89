import { DeliverError } from '../core/errors.ts';
import { ApiStatus } from './api-status.ts';
import type { KubeRef } from './port.ts';
import { refText } from './refs.ts';

/** How the API server says that a field can never change. */
const IMMUTABLE = /immutable|updates to \w+ spec for fields other than|may not change once set/i;

export type Verb = 'get' | 'list' | 'patch' | 'delete';

export interface Asked {
  readonly verb: Verb;
  readonly ref: Omit<KubeRef, 'name'> & { readonly name?: string };
  /** Plural name: `statefulsets`. */
  readonly resource: string;
}

const UNCHANGED = 'This object was not changed. What was applied before it stays; the same command goes on from there.';

/** What a refusal of the API server means to a person; the `ApiStatus` itself is its cause. */
export function apiError(status: ApiStatus, asked: Asked): DeliverError {
  const object = refText({ ...asked.ref, name: asked.ref.name ?? '*' });
  if (status.status === 401) return notKnown(status);
  if (status.status === 403) return refused(status, asked, object);
  const conflicts = status.causes.filter((cause) => cause.reason === 'FieldManagerConflict');
  if (status.status === 409 && conflicts.length > 0) return conflict(status, object, conflicts);
  if ((status.status >= 500 && !status.badPatch) || status.status === 429) return unavailable(status, object);
  const secret = asked.ref.kind === 'Secret';
  return new DeliverError('E_APPLY', {
    what: `The cluster refuses ${object}.`,
    // The message of a Secret may quote a value.
    why: secret ? `${status.reason} (HTTP ${String(status.status)})` : status.message,
    ...(status.causes.length > 1 || secret
      ? { details: status.causes.map((cause) => (secret ? cause.field : `${cause.field}: ${cause.message}`)) }
      : {}),
    fix: fixOf(status),
    state: UNCHANGED,
    cause: status,
  });
}

/** True for a refusal because a field of this object can never change. */
export function isImmutable(error: unknown): boolean {
  if (!(error instanceof DeliverError) || !(error.facts.cause instanceof ApiStatus)) return false;
  const { status, message } = error.facts.cause;
  return status === 422 && IMMUTABLE.test(message);
}

/** True when the object changed since the version that the request was made for. */
export function isOutdated(error: unknown): boolean {
  return error instanceof DeliverError && error.facts.cause instanceof ApiStatus && error.facts.cause.status === 409;
}

/** True when what was asked for, or the namespace it would be in, is not there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof DeliverError && error.facts.cause instanceof ApiStatus && error.facts.cause.status === 404;
}

/** Who owns the fields that a server-side apply was refused for; nobody for any other error. */
export function conflictingManagers(error: unknown): string[] {
  if (!(error instanceof DeliverError) || !(error.facts.cause instanceof ApiStatus)) return [];
  return managersIn(error.facts.cause.causes.filter(({ reason }) => reason === 'FieldManagerConflict'));
}

function managersIn(causes: ApiStatus['causes']): string[] {
  return [...new Set(causes.map((cause) => /"([^"]+)"/.exec(cause.message)?.[1] ?? 'another manager'))];
}

function notKnown(status: ApiStatus): DeliverError {
  return new DeliverError('E_CLUSTER_AUTH', {
    what: 'The cluster does not know the account of the kubeconfig.',
    why: status.message,
    fix: 'Get a fresh kubeconfig (certificates and tokens expire), or set cluster.context in the site file.',
    state: UNCHANGED,
    cause: status,
  });
}

function refused(status: ApiStatus, asked: Asked, object: string): DeliverError {
  if (status.causes.some((cause) => cause.reason === 'NamespaceTerminating')) {
    return new DeliverError('E_APPLY', {
      what: `The cluster refuses ${object}: its namespace is being deleted.`,
      why: status.message,
      fix: 'Wait until the namespace is gone, then run the same command again.',
      state: UNCHANGED,
      cause: status,
    });
  }
  const where = asked.ref.namespace === undefined ? '' : ` in namespace ${asked.ref.namespace}`;
  const verbs = asked.verb === 'patch' ? 'patch and create' : asked.verb;
  return new DeliverError('E_CLUSTER_AUTH', {
    what: `The account of the kubeconfig may not ${asked.verb} ${asked.resource}${where}.`,
    why: status.message,
    fix: `Give it the right to ${verbs} ${asked.resource}${where}, or use a kubeconfig of a cluster administrator.`,
    state: UNCHANGED,
    cause: status,
  });
}

function conflict(status: ApiStatus, object: string, causes: ApiStatus['causes']): DeliverError {
  const managers = managersIn(causes);
  return new DeliverError('E_CONFLICT', {
    what: `${object} has fields that ${managers.join(' and ')} set.`,
    why: 'Applying would change them to other values, and they are not deliver’s.',
    details: causes.map((cause) => `${cause.field}  (${cause.message})`),
    // What both set to the same value, both own.
    fix: 'Agree who owns them. Then set them there to the values of the release, or remove them from the release.',
    state: UNCHANGED,
    cause: status,
  });
}

function unavailable(status: ApiStatus, object: string): DeliverError {
  return new DeliverError('E_CLUSTER', {
    what: `The cluster did not manage to answer about ${object}.`,
    why: `HTTP ${String(status.status)}: ${status.message}`,
    fix: status.message.includes('webhook')
      ? 'Look at the webhook that the message names (its pods, its Service), then run the same command again.'
      : 'Look at the API server and etcd, then run the same command again.',
    state: UNCHANGED,
    cause: status,
  });
}

function fixOf(status: ApiStatus): string {
  if (IMMUTABLE.test(status.message)) {
    return 'This field can’t be changed in place. Delete the object (a StatefulSet with --cascade=orphan keeps its pods), then run the same command again.';
  }
  if (/strict decoding error|unknown field|field not declared in schema/.test(status.message)) {
    return 'The cluster’s version does not know this field. Compare it with kubernetes.version of the release.';
  }
  if (status.status === 409) return 'Run the same command again.';
  return 'Correct the release, then resolve and pack it again.';
}
