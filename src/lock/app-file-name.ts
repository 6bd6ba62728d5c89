import { createHash } from 'node:crypto';

/**
 * Name of an app's file in the lock and the bundle: `apps/notice/www/index.html` for `/www/index.html` of app `notice`.
 * Fits the grammar of `org.opencontainers.image.ref.name` (image-spec annotations.md); a path that does not fit by itself
 * gets a `+` and 8 hex digits of its sha256, so two different paths never share a name.
 */
export function appFileName(app: string, path: string): string {
  return refName(['apps', app], path.replace(/^\/+/, ''), `${app}\n${path}`);
}

/** Name of a file of `manifests:` in the lock: `manifests/0/traefik/rbac.yaml`, brought into the grammar in the same way. */
export function manifestFileName(index: number, relativePath: string): string {
  return refName(['manifests', String(index)], relativePath, `${String(index)}\n${relativePath}`);
}

function refName(prefix: readonly string[], path: string, hashed: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  const plain = [...prefix, ...parts].map(refWord).join('/');
  if (`${prefix.join('/')}/${path}` === plain) return plain;
  return `${plain}+${createHash('sha256').update(hashed).digest('hex').slice(0, 8)}`;
}

function refWord(part: string): string {
  const word = part
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .replace(/[._-]{2,}/g, '-')
    .replace(/^[._-]+|[._-]+$/g, '');
  return word === '' ? 'x' : word;
}
