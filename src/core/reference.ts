import { isDigest, type Digest } from './digest.ts';
import { DeliverError } from './errors.ts';

/** An image or chart reference, taken apart as docker does it (distribution/reference). */
export interface Reference {
  /** As the user wrote it; pod specs keep this text. */
  readonly original: string;
  /** Source host, `docker.io` for short names. May hold a port. */
  readonly host: string;
  /** Path below the host, `library/` included for Docker Hub's official images. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const HOST = /^(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
const DOCKER_HUB = new Set(['index.docker.io', 'registry-1.docker.io', 'docker.io']);

/**
 * Takes a reference apart: `busybox:1.36` is `docker.io/library/busybox:1.36`; without tag and digest the tag is `latest`.
 * @throws DeliverError E_REFERENCE
 */
export function parseReference(original: string): Reference {
  const [named = '', digest, ...rest] = original.split('@');
  if (rest.length > 0 || (digest !== undefined && !isDigest(digest))) throw bad(original, 'its digest is malformed');
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const hasHost = first !== '' && (/[.:]/.test(first) || first === 'localhost');
  const rawHost = hasHost ? first : 'docker.io';
  const remainder = hasHost ? named.slice(slash + 1) : named;
  const colon = remainder.lastIndexOf(':');
  const path = colon < 0 ? remainder : remainder.slice(0, colon);
  const tag = colon < 0 ? undefined : remainder.slice(colon + 1);
  if (!HOST.test(rawHost)) throw bad(original, `“${rawHost}” is not a host`);
  const host = DOCKER_HUB.has(rawHost) ? 'docker.io' : rawHost;
  const repository = host === 'docker.io' && !path.includes('/') ? `library/${path}` : path;
  if (!REPOSITORY.test(repository)) throw bad(original, 'its path must be lower-case words joined by “/”, “.”, “_” or “-”');
  if (tag !== undefined && !TAG.test(tag)) throw bad(original, `“${tag}” is not a tag`);
  const effectiveTag = tag ?? (digest === undefined ? 'latest' : undefined);
  return {
    original,
    host,
    repository,
    ...(effectiveTag === undefined ? {} : { tag: effectiveTag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** `host/repository:tag@digest` with what is there; the key of an image in the lock. */
export function canonicalReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${reference.host}/${reference.repository}${tag}${digest}`;
}

/** True for `localhost`, 127.0.0.0/8 and ::1, with or without a port: plain HTTP unless told otherwise, as docker does. */
export function isLoopbackHost(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(host);
}

function bad(original: string, why: string): DeliverError {
  return new DeliverError('E_REFERENCE', {
    what: `“${original}” is not an image reference.`,
    why,
    fix: 'Write it as host/path:tag or host/path@sha256:…',
  });
}
