import { bytesText, countText } from '../../core/amounts.ts';
import type { RepairResult } from '../../flows/repair.ts';
import type { ResendResult } from '../../flows/resend.ts';
import type { SplitResult } from '../../flows/split.ts';
import { shortPath } from '../short-path.ts';
import type { Style } from '../style.ts';
import { MARK } from '../words.ts';

/** What `deliver split` says at its end. */
export function viewSplit(result: SplitResult, style: Style): string[] {
  const folder = shortPath(result.folder);
  const signed =
    result.signers.length === 0
      ? style.warn('carry manifest not signed; the signature of the bundle inside counts')
      : `signed by ${result.signers.map(({ name, fingerprint }) => `${name} (${fingerprint})`).join(', ')}`;
  return [
    '',
    `${style.good(MARK.done)} ${style.bold(folder)}   ${volumesText(result)}`,
    `  carry ${result.id}`,
    `  ${signed}`,
    `  Next: deliver verify ${folder}${result.signers.length === 0 ? '' : ' --trust KEY.pub'}`,
  ];
}

/** `4 volumes + 1 parity volume, 38 MB`. */
export function volumesText({ volumes, parity, size }: SplitResult): string {
  const more = parity === 0 ? '' : ` + ${countText(parity, 'parity volume')}`;
  return `${countText(volumes, 'volume')}${more}, ${bytesText(size)}`;
}

/** What `deliver repair` says at its end. */
export function viewRepair(result: RepairResult, style: Style): string[] {
  const folder = shortPath(result.folder);
  const removed = result.removed.map((name) => `  ${name} was removed: what it brought is in the volumes now.`);
  if (result.files.length === 0) {
    const said = removed.length === 0 ? 'nothing was changed' : 'no volume was changed';
    return ['', `${style.good(MARK.done)} ${folder} is whole; ${said}.`, ...removed];
  }
  return [
    '',
    `${style.good(MARK.done)} ${style.bold(folder)} is whole again: ${String(result.leaves)} MiB rebuilt.`,
    ...result.files.map((file) => `    ${file}`),
    ...removed,
    `  Next: deliver verify ${folder}`,
  ];
}

/** What `deliver resend` says at its end. */
export function viewResend(result: ResendResult, style: Style): string[] {
  return [
    '',
    `${style.good(MARK.done)} ${style.bold(shortPath(result.path))}   ${bytesText(result.size)}, ${String(result.leaves)} MiB of ${result.bundle}`,
    '  Put it beside the volumes; verify, repair and install use it there.',
    '  A repair writes it into the volumes, and removes it.',
  ];
}
