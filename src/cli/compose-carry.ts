import type { Flow } from '../core/report.ts';
import { repairFlow, type RepairResult } from '../flows/repair.ts';
import { resendFlow, type ResendResult } from '../flows/resend.ts';
import { splitFlow, type SplitResult } from '../flows/split.ts';
import { signingPorts } from './compose-signing.ts';
import { volumeOptions, type VolumeFlags } from './volume-options.ts';

// The verbs of the carrier: they cut a bundle into volumes, mend them, and send parts again.

export interface SplitWish {
  readonly bundle: string;
  readonly output?: string | undefined;
  readonly signKeys: readonly string[];
  readonly flags: VolumeFlags;
}

/** Asks for the passphrases of the keys before anything is drawn. @throws DeliverError E_USAGE, E_SIGN_KEY */
export async function composeSplit({ bundle, output, signKeys, flags }: SplitWish): Promise<Flow<SplitResult>> {
  const options = volumeOptions(flags);
  const ports = await signingPorts(signKeys);
  const folder = output === undefined ? {} : { outputFolder: output };
  return splitFlow({ bundlePath: bundle, ...options, ...folder, signKeyPaths: signKeys }, ports);
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
