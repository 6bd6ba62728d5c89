import { createHash } from 'node:crypto';

/**
 * Name of an app's file in the lock and the bundle: `apps/notice/www/index.html` for `/www/index.html` of app `notice`.
 * Fits the grammar of `org.opencontainers.image.ref.name` (image-spec annotations.md); a path that does not fit by itself
 * gets a `+` and 8 hex digits of its sha256, so two different paths never share a name.
 */
export function appFileName(app: string, path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  const plain = ['apps', app, ...parts].map(refWord).join('/');
  if (`apps/${app}${path}` === plain) return plain;
  const hash = createHash('sha256').update(`${app}\n${path}`).digest('hex').slice(0, 8);
  return `${plain}+${hash}`;
}

function refWord(part: string): string {
  const word = part
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .replace(/[._-]{2,}/g, '-')
    .replace(/^[._-]+|[._-]+$/g, '');
  return word === '' ? 'x' : word;
}
