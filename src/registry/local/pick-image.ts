import { isDeliverError } from '../../core/errors.ts';
import { canonicalReference, parseReference, type Reference } from '../../core/reference.ts';
import type { ImageLocation } from '../../manifest/image-location.ts';
import { badArchive } from './archive-error.ts';
import type { LocalImage } from './images.ts';

/** Names that are listed in an error; nobody reads more. */
const MOST_NAMES = 20;

/**
 * The image of an archive that a location means: the one it names, else the one that is called like the reference, else the only
 * one when that has no name.
 * @throws DeliverError E_ARCHIVE listing what there is
 */
export function pickImage(images: readonly LocalImage[], location: ImageLocation, wanted: Reference): LocalImage {
  const { name, position, text, transport } = location;
  const [first] = images;
  if (first === undefined) throw badArchive(text, 'it holds no image');
  if (position !== undefined) {
    const at = images[position];
    if (at === undefined) throw badArchive(text, `it has no image @${String(position)}; it has ${listed(images)}`);
    return at;
  }
  // A daemon was asked for that one alone, perhaps by its id; and whether a digest is the right one shows by itself.
  const isSure = transport === 'docker-daemon' || (name === undefined && wanted.digest !== undefined);
  if (isSure && images.length === 1) return first;
  // A name of its own that is another one is more likely a mistake: v361 where v362 is wanted.
  if (name === undefined && images.length === 1 && first.names.length === 0) return first;
  const found =
    name === undefined ? like(images, wanted) : images.filter(({ names }) => names.some((each) => isSame(each, name)));
  const [only, second] = found;
  if (only !== undefined && second === undefined) return only;
  const fix = 'Name one of them after the path: PATH:NAME, or PATH:@0 for the first.';
  const sought = name ?? canonicalReference(wanted);
  throw badArchive(
    text,
    `it has ${second === undefined ? 'no' : 'more than one'} image ${sought}; it has ${listed(images)}`,
    fix,
  );
}

/** By the whole name; else by the tag alone, as layouts of one repository have it. */
function like(images: readonly LocalImage[], wanted: Reference): readonly LocalImage[] {
  const byDigest = images.filter(({ digest }) => digest !== undefined && digest === wanted.digest);
  if (byDigest.length > 0) return byDigest;
  const whole = images.filter(({ names }) => names.some((name) => isSame(name, canonicalReference(wanted))));
  return whole.length > 0 ? whole : images.filter(({ names }) => wanted.tag !== undefined && names.includes(wanted.tag));
}

function isSame(one: string, other: string): boolean {
  return one === other || (canonical(one) ?? one) === (canonical(other) ?? other);
}

function canonical(name: string): string | undefined {
  try {
    return canonicalReference(parseReference(name));
  } catch (error) {
    if (isDeliverError(error, 'E_REFERENCE')) return undefined;
    throw error;
  }
}

function listed(images: readonly LocalImage[]): string {
  const names = images.map(({ names: own }, at) => (own.length === 0 ? `@${String(at)} (no name)` : own.join(', ')));
  const more = names.length > MOST_NAMES ? ` and ${String(names.length - MOST_NAMES)} more` : '';
  return `${names.slice(0, MOST_NAMES).join(', ')}${more}`;
}
