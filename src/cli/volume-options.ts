import type { PackVolumes } from '../flows/pack.ts';
import { parseVolumeSize, PROFILES, type Profile } from '../carry/volume-size.ts';
import { isDigest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';

/** What the flags of volume-flags.ts say. */
export interface VolumeFlags {
  readonly 'volume-size'?: string | undefined;
  readonly profile?: string | undefined;
  readonly parity: number;
  readonly names: string;
  readonly previous?: string | undefined;
}

/** True when the flags ask for volumes. */
export function wantsVolumes(flags: VolumeFlags): boolean {
  return flags['volume-size'] !== undefined || flags.profile !== undefined || flags.parity > 0;
}

/** @throws DeliverError E_USAGE */
export function volumeOptions(flags: VolumeFlags): PackVolumes {
  const { previous } = flags;
  if (previous !== undefined && !isDigest(previous))
    throw new DeliverError('E_USAGE', { what: `“${previous}” is not the id of a carry set.`, fix: 'An id is sha256:… in full.' });
  return {
    volumeSize: volumeSizeOf(flags),
    parity: flags.parity,
    names: flags.names === '8.3' ? '8.3' : 'plain',
    ...(previous === undefined ? {} : { previous }),
  };
}

function volumeSizeOf(flags: VolumeFlags): number {
  const size = flags['volume-size'];
  if (size !== undefined) return parseVolumeSize(size);
  const profile = Object.keys(PROFILES).find((name): name is Profile => name === flags.profile);
  if (profile !== undefined) return PROFILES[profile];
  throw new DeliverError('E_USAGE', {
    what: 'How big may a volume be?',
    fix: `Say --volume-size 4G, or --profile ${Object.keys(PROFILES).join('|')}.`,
  });
}
