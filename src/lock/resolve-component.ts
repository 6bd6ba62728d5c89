import { createHash } from 'node:crypto';
import { hexOf, parseDigest, type Digest } from '../core/digest.ts';
import { DeliverError, isDeliverError } from '../core/errors.ts';
import type { FileSource } from '../store/port.ts';
import { versionsNear } from './component-near.ts';
import { publishedChecksum, type PublishedChecksum } from './component-checksum.ts';
import type { NeededComponent } from './component-files.ts';
import type { LockedFile } from './lock-schema.ts';

export interface ResolvedComponent {
  readonly file: LockedFile;
  /** What upstream’s own checksum said about it: md5 is weak, `none` means that only the lock pins it. */
  readonly checked: 'sha256' | 'md5' | 'none';
}

/**
 * One program by digest and size, compared with the checksum that upstream publishes. What an earlier lock has of it is kept
 * when that checksum says that it is still the same.
 * @throws DeliverError E_DIGEST when it is not what upstream says, E_SOURCE* naming the program and the address
 */
export async function resolveComponent(
  needed: NeededComponent,
  files: FileSource,
  options: { readonly previous?: LockedFile | undefined; readonly signal?: AbortSignal | undefined },
): Promise<ResolvedComponent> {
  const { name, title, source, component } = needed;
  const { previous, signal } = options;
  const published = await publishedChecksum(needed, files, signal);
  const known = published?.algorithm === 'sha256' ? `sha256:${published.hex}` : undefined;
  const checked = published?.algorithm ?? 'none';
  if (previous?.source === source && previous.digest === known) {
    return { file: { name, title, source, digest: previous.digest, size: previous.size, component }, checked };
  }
  const found = await measure(source, published?.algorithm ?? 'sha256', files, signal).catch(async (error: unknown) => {
    if (!isDeliverError(error, 'E_SOURCE_NOT_FOUND')) throw error;
    throw notThere(needed, error, await versionsNear(needed, files, signal));
  });
  const has = published?.algorithm === 'md5' ? found.md5 : hexOf(found.digest);
  if (published !== undefined && has !== published.hex) throw otherThan(needed, published, has);
  return { file: { name, title, source, digest: found.digest, size: found.size, component }, checked };
}

interface Measured {
  readonly digest: Digest;
  readonly size: number;
  /** Present when it was asked for. */
  readonly md5?: string;
}

async function measure(url: string, algorithm: 'sha256' | 'md5', files: FileSource, signal?: AbortSignal): Promise<Measured> {
  if (algorithm === 'sha256') return files.measure(url, signal);
  const [sha256, md5] = [createHash('sha256'), createHash('md5')];
  let size = 0;
  for await (const chunk of await files.open(url, signal)) {
    size += chunk.byteLength;
    sha256.update(chunk);
    md5.update(chunk);
  }
  return { digest: parseDigest(`sha256:${sha256.digest('hex')}`), size, md5: md5.digest('hex') };
}

function otherThan({ component, source }: NeededComponent, { algorithm, hex, url }: PublishedChecksum, has = ''): DeliverError {
  return new DeliverError('E_DIGEST', {
    what: `${titleOf(component)} is not what its project published.`,
    why: `${url} says ${algorithm} ${hex},\n${source} has ${has}`,
    fix: 'Get both anew on the mirror; if it stays so, one of the two was replaced there.',
  });
}

function notThere({ component, source }: NeededComponent, error: DeliverError, near: string | undefined): DeliverError {
  return new DeliverError('E_SOURCE_NOT_FOUND', {
    what: `${titleOf(component)} can’t be had.`,
    why: [`${source} is not there.`, ...(near === undefined ? [] : [near])].join(' '),
    fix: `Take a version that its project published for this platform, or say where it is: sources.files.${component.name}, or sources.base for a mirror of the whole host.`,
    cause: error,
  });
}

function titleOf({ name, version, platform }: NeededComponent['component']): string {
  return `${name} ${version} for ${platform}`;
}

/** A line on the programs that nobody but the lock pins, and on those that only a weak checksum does. */
export function checksumAdvice(components: readonly ResolvedComponent[]): readonly string[] {
  const names = (checked: ResolvedComponent['checked']): string[] =>
    components.flatMap(({ file, checked: is }) =>
      is === checked && file.component !== undefined ? [titleOf(file.component)] : [],
    );
  const [weak, none] = [names('md5'), names('none')];
  return [
    ...(weak.length === 0 ? [] : [`Checked against an md5 only, which is weak: ${weak.join(', ')}.`]),
    ...(none.length === 0 ? [] : [`No checksum beside it at its source, so only the lock pins it: ${none.join(', ')}.`]),
  ];
}
