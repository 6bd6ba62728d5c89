import { DeliverError } from '../core/errors.ts';
import { MOST_VOLUMES } from './galois.ts';

/** Bytes of a leaf: what is hashed, mended and sent again as one. */
export const LEAF = 1024 * 1024;
/** Plain names for most; `8.3` for media and gateways that know no longer ones. */
export type NameStyle = 'plain' | '8.3';

export interface VolumeOptions {
  /** Bytes; rounded down to whole MiB. */
  readonly volumeSize: number;
  /** Parity volumes: so many lost ones can be mended. */
  readonly parity: number;
  readonly names: NameStyle;
}

export interface PlannedVolume {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** Which files a carry set is. */
export interface CarryLayout {
  /** Bytes of every data volume but the last. */
  readonly volumeSize: number;
  readonly volumes: readonly PlannedVolume[];
  readonly parity: readonly PlannedVolume[];
}

/**
 * Cuts a bundle into volumes.
 * @throws DeliverError E_USAGE when volumes are too small, or too many for the parity code
 */
export function planVolumes(bundle: { readonly name: string; readonly size: number }, options: VolumeOptions): CarryLayout {
  const volumeSize = Math.floor(options.volumeSize / LEAF) * LEAF;
  if (volumeSize < LEAF) {
    throw new DeliverError('E_USAGE', {
      what: 'A volume is at least 1 MiB.',
      why: `${String(options.volumeSize)} bytes were asked for.`,
    });
  }
  const count = Math.max(1, Math.ceil(bundle.size / volumeSize));
  if (options.parity > 0 && count + options.parity > MOST_VOLUMES) throw tooMany(count, options.parity, bundle.size);
  if (options.names === '8.3' && count + options.parity > 999) {
    throw new DeliverError('E_USAGE', { what: '8.3 names can number 999 volumes.', fix: 'Use a bigger --volume-size.' });
  }
  const stripe = Math.min(volumeSize, bundle.size);
  const sizeOf = (index: number): number => Math.min(volumeSize, bundle.size - index * volumeSize);
  const named = (kind: 'v' | 'p', index: number): string => volumeName(bundle.name, kind, index + 1, options.names);
  return {
    volumeSize,
    volumes: Array.from({ length: count }, (_, index) => ({ name: named('v', index), size: sizeOf(index) })),
    parity: Array.from({ length: options.parity }, (_, index) => ({ name: named('p', index), size: stripe })),
  };
}

/** The names of the carry manifest: written before the volumes, and after them. */
export function manifestNames(bundle: string, names: NameStyle): readonly [string, string] {
  if (names === '8.3') return [`${shortBase(bundle, 8)}.crj`, `${shortBase(bundle, 8)}.cre`];
  return [`${safe(bundle)}.carry.json`, `${safe(bundle)}.carry.end.json`];
}

/** Whether a file of this name is not finished yet: nobody reads it. */
export function isPartName(name: string): boolean {
  return /\.part(?:\.[a-z]+)?$/.test(name);
}

/** Leaves of a file. */
export function leafCount(size: number): number {
  return Math.ceil(size / LEAF);
}

function volumeName(bundle: string, kind: 'v' | 'p', number: number, style: NameStyle): string {
  const digits = String(number).padStart(3, '0');
  return style === '8.3'
    ? `${shortBase(bundle, 5)}${digits}.${kind === 'v' ? 'vol' : 'par'}`
    : `${safe(bundle)}.${kind}${digits}`;
}

function shortBase(bundle: string, length: number): string {
  const letters = bundle
    .replace(/\.tar$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
  return (letters === '' ? 'carry' : letters).slice(0, length);
}

/** Gateways differ in what they let through; these pass everywhere. */
function safe(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[.-]/, '_');
}

function tooMany(count: number, parity: number, size: number): DeliverError {
  const least = Math.ceil(size / (MOST_VOLUMES - parity) / LEAF);
  return new DeliverError('E_USAGE', {
    what: `${String(count)} volumes and ${String(parity)} parity volumes are more than the ${String(MOST_VOLUMES)} that one code can protect.`,
    fix: `Use --volume-size ${String(least)}M or more, or no --parity.`,
  });
}

/** The name of a patch volume; `mark` tells patches of one carry set apart. */
export function patchName(bundle: string, mark: string, names: NameStyle): string {
  return names === '8.3' ? `${shortBase(bundle, 5)}${mark.slice(0, 3)}.dp` : `${safe(bundle)}.patch-${mark}.dp`;
}

/** Which style the volumes of a set were named in. */
export function styleOf(volumes: readonly { readonly name: string }[]): NameStyle {
  return volumes[0]?.name.endsWith('.vol') === true ? '8.3' : 'plain';
}
