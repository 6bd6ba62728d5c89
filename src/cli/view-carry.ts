import { bytesText, countText } from '../core/amounts.ts';
import type { RepairResult } from '../flows/repair.ts';
import type { ResendResult } from '../flows/resend.ts';
import type { SplitResult } from '../flows/split.ts';
import { shortPath } from './short-path.ts';
import type { Style } from './style.ts';
import { MARK } from './words.ts';

/** What `deliver split` says at its end. */
export function viewSplit(result: SplitResult, style: Style): string[] {
  const folder = shortPath(result.folder);
  const parity = result.parity === 0 ? '' : ` + ${countText(result.parity, 'parity volume')}`;
  const signed =
    result.signers.length === 0
      ? style.warn('carry manifest not signed; the signature of the bundle inside counts')
      : `signed by ${result.signers.map(({ name, fingerprint }) => `${name} (${fingerprint})`).join(', ')}`;
  return [
    '',
    `${style.good(MARK.done)} ${style.bold(folder)}   ${countText(result.volumes, 'volume')}${parity}, ${bytesText(result.size)}`,
    `  carry ${result.id}`,
    `  ${signed}`,
    `  Next: deliver verify ${folder}${result.signers.length === 0 ? '' : ' --trust KEY.pub'}`,
  ];
}

/** What `deliver repair` says at its end. */
export function viewRepair(result: RepairResult, style: Style): string[] {
  const folder = shortPath(result.folder);
  if (result.files.length === 0) return ['', `${style.good(MARK.done)} ${folder} is whole; nothing was changed.`];
  return [
    '',
    `${style.good(MARK.done)} ${style.bold(folder)} is whole again: ${String(result.leaves)} MiB rebuilt.`,
    ...result.files.map((file) => `    ${file}`),
    `  Next: deliver verify ${folder}`,
  ];
}

/** What `deliver resend` says at its end. */
export function viewResend(result: ResendResult, style: Style): string[] {
  return [
    '',
    `${style.good(MARK.done)} ${style.bold(shortPath(result.path))}   ${bytesText(result.size)}, ${String(result.leaves)} MiB of ${result.bundle}`,
    '  Put it beside the volumes; verify, repair and install use it there.',
  ];
}
