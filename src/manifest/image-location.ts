import { DeliverError } from '../core/errors.ts';
import { canonicalReference, parseReference, type Reference } from '../core/reference.ts';

const TRANSPORTS = ['docker-archive', 'oci-archive', 'oci', 'docker-daemon'] as const;
export type ImageTransport = (typeof TRANSPORTS)[number];

/** An image that no registry serves, in the notation of containers-transports(5): `docker-archive:./gatekeeper.tar:v362`. */
export interface ImageLocation {
  /** As the release has it. */
  readonly text: string;
  readonly transport: ImageTransport;
  /** Of the archive or folder; empty for a daemon. */
  readonly path: string;
  /** Which image of several, by name; for a daemon its name or `sha256:` id. */
  readonly name?: string;
  /** Which image of several, by its place: `@0`. */
  readonly position?: number;
}

/** What `sources.images` may hold: one location, or one for each platform. */
export type ImageLocations = Readonly<Record<string, string | readonly string[]>>;

/** @throws DeliverError E_REFERENCE */
export function parseImageLocation(text: string): ImageLocation {
  const [, word = '', rest = ''] = /^([a-z-]+)(?::(.*))?$/s.exec(text) ?? [];
  const transport = TRANSPORTS.find((known) => known === word);
  if (transport === undefined) throw bad(text, `It has to begin with ${TRANSPORTS.join(':, ')}:.`);
  if (transport === 'docker-daemon') return { text, transport, path: '', ...(rest === '' ? {} : { name: rest }) };
  const colon = rest.indexOf(':');
  const [path, name] = colon < 0 ? [rest, undefined] : [rest.slice(0, colon), rest.slice(colon + 1)];
  if (path === '') throw bad(text, 'It names no path.');
  if (name === '') throw bad(text, 'Nothing follows the last “:”.');
  if (name === undefined) return { text, transport, path };
  const position = /^@(\d{1,6})$/.exec(name)?.[1];
  return position === undefined ? { text, transport, path, name } : { text, transport, path, position: Number(position) };
}

/** The locations that are given for a reference: by its whole name, or for every tag by its name without one. Empty when none is. */
export function locationsFor(images: ImageLocations, reference: Reference): readonly ImageLocation[] {
  const key = canonicalReference(reference);
  const keys = Object.keys(images);
  const found =
    keys.find((name) => canonicalReference(parseReference(name)) === key && !isRepository(name)) ??
    keys.find((name) => isRepository(name) && covers(name, reference));
  const given = found === undefined ? undefined : images[found];
  return (typeof given === 'string' ? [given] : (given ?? [])).map(parseImageLocation);
}

/** Whether what stands under this name in `sources.images` is for this reference. */
export function covers(name: string, reference: Reference): boolean {
  const { host, repository, ...version } = parseReference(name);
  if (host !== reference.host || repository !== reference.repository) return false;
  return isRepository(name) || (version.tag === reference.tag && version.digest === reference.digest);
}

function isRepository(name: string): boolean {
  return !name.includes('@') && !name.slice(name.lastIndexOf('/') + 1).includes(':');
}

function bad(text: string, why: string): DeliverError {
  return new DeliverError('E_REFERENCE', {
    what: `“${text}” does not say where an image is.`,
    why,
    fix: 'Write docker-archive:PATH[:NAME], oci-archive:PATH[:NAME], oci:FOLDER[:NAME] or docker-daemon:NAME.',
  });
}
