import { DeliverError } from '../core/errors.ts';

/** A URL without user name, password and query (where signed URLs keep their secret); other text as it is. */
export function bareUrl(location: string): string {
  if (!URL.canParse(location)) return location;
  const url = new URL(location);
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/**
 * What kind of place a location names.
 * @throws DeliverError E_SOURCE for schemes that are not read
 */
export function locationKind(location: string): 'http' | 'path' | 's3' {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(location)?.[1]?.toLowerCase();
  if (scheme === undefined) return 'path';
  if (scheme === 'http' || scheme === 'https') {
    if (URL.canParse(location)) return 'http';
    throw new DeliverError('E_SOURCE', { what: `“${location}” is not a URL.` });
  }
  if (scheme === 's3') return 's3';
  throw new DeliverError('E_SOURCE', {
    what: `${bareUrl(location)} can’t be read.`,
    why: `deliver reads http://, https://, s3:// and paths, not ${scheme}://.`,
  });
}
