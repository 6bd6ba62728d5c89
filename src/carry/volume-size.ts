import { DeliverError } from '../core/errors.ts';

/** Bytes that a file may have on the way; each a little below the limit, for what file systems take themselves. */
export const PROFILES = {
  fat32: 4_000_000_000,
  dvd: 4_600_000_000,
  bd25: 24_500_000_000,
  /** Below what virus scanners of the ClamAV kind can look into. */
  av2g: 2_000_000_000,
  'diode-1g': 1_000_000_000,
} as const;

export type Profile = keyof typeof PROFILES;

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** Bytes of `4G`, `700M`, `650MB` or `4000000000`: K, M, G, T are powers of 1024, KB, MB, GB, TB of 1000. @throws DeliverError E_USAGE */
export function parseVolumeSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(i?B)?$/i.exec(text.trim());
  const unit = match?.[2]?.toUpperCase() ?? '';
  const decimal = match?.[3]?.toUpperCase() === 'B' && unit !== '';
  const factor = decimal ? 1000 ** ('KMGT'.indexOf(unit) + 1) : UNITS[unit];
  const bytes = Math.floor(Number(match?.[1]) * (factor ?? NaN));
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new DeliverError('E_USAGE', {
    what: `“${text}” is not a size.`,
    fix: 'Write it like 4G, 700M, 4.6GB or 4000000000.',
  });
}
