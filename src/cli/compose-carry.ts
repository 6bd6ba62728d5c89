import { parseVolumeSize, PROFILES, type Profile } from '../carry/volume-size.ts';
import { isDigest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import type { PackResult } from '../flows/pack.ts';
import { repairFlow, type RepairResult } from '../flows/repair.ts';
import { resendFlow, type ResendResult } from '../flows/resend.ts';
import { splitFlow, type SplitResult } from '../flows/split.ts';
import { passphrasesFor } from './passphrase.ts';

// The verbs of the carrier: they cut a bundle into volumes, mend them, and send parts again.

export interface VolumeFlags {
  readonly 'volume-size'?: string | undefined;
  readonly profile?: string | undefined;
  readonly parity: number;
  readonly names: string;
  readonly previous?: string | undefined;
}

export interface SplitWish {
  readonly bundle: string | (() => string);
  readonly output?: string | undefined;
  readonly signKeys: readonly string[];
  readonly flags: VolumeFlags;
}

/** Asks for the passphrases of the keys before anything is drawn. @throws DeliverError E_USAGE, E_SIGN_KEY */
export async function composeSplit({ bundle, output, signKeys, flags }: SplitWish): Promise<Flow<SplitResult>> {
  const volumeSize = volumeSizeOf(flags);
  const askPassphrase = await passphrasesFor(signKeys);
  const { previous } = flags;
  if (previous !== undefined && !isDigest(previous))
    throw new DeliverError('E_USAGE', { what: `“${previous}” is not the id of a carry set.`, fix: 'An id is sha256:… in full.' });
  return splitFlow(
    {
      bundlePath: bundle,
      volumeSize,
      parity: flags.parity,
      names: flags.names === '8.3' ? '8.3' : 'plain',
      ...(previous === undefined ? {} : { previous }),
      ...(output === undefined ? {} : { outputFolder: output }),
      signKeyPaths: signKeys,
    },
    { askPassphrase },
  );
}

/** True when the flags ask for volumes. */
export function wantsVolumes(flags: VolumeFlags): boolean {
  return flags['volume-size'] !== undefined || flags.profile !== undefined || flags.parity > 0;
}

/** Pack, then split what was packed: the bundle and its volumes both need their space. */
export async function packThenSplit(
  pack: Flow<PackResult>,
  wish: Omit<SplitWish, 'bundle' | 'output'>,
): Promise<Flow<PackResult>> {
  const split = await composeSplit({ ...wish, bundle: () => pack.result().path });
  return { steps: [...pack.steps, ...split.steps], result: () => ({ ...pack.result(), carry: split.result() }) };
}

export function composeRepair(folder: string): Flow<RepairResult> {
  return repairFlow({ folder });
}

export function composeResend(wish: {
  readonly path: string;
  readonly code: string;
  readonly output?: string | undefined;
  readonly carry?: string | undefined;
}): Flow<ResendResult> {
  return resendFlow({
    path: wish.path,
    code: wish.code,
    ...(wish.output === undefined ? {} : { outputFolder: wish.output }),
    ...(wish.carry === undefined ? {} : { carryFolder: wish.carry }),
  });
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
