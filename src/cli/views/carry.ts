import { bytesText, countText } from '../../core/amounts.ts';
import type { RepairResult } from '../../flows/repair.ts';
import type { ResendResult } from '../../flows/resend.ts';
import type { SplitResult } from '../../flows/split.ts';
import { shortPath } from '../short-path.ts';
import type { Style } from '../style.ts';
import { MARK } from '../words.ts';
import { headed, said, whole, WIDTH } from './lines.ts';

/** What `deliver split` says at its end. */
export function viewSplit(result: SplitResult, style: Style, width = WIDTH): string[] {
  const folder = shortPath(result.folder);
  const signed =
    result.signers.length === 0
      ? style.warn('carry manifest not signed; the signature of the bundle inside counts')
      : `signed by ${result.signers.map(({ name, fingerprint }) => `${name} (${fingerprint})`).join(', ')}`;
  return [
    '',
    ...headed(`${style.good(MARK.done)} `, style.bold(whole(folder)), volumesText(result), width),
    `  carry ${result.id}`,
    ...said('  ', signed, width),
    `  Next: deliver verify ${folder}${result.signers.length === 0 ? '' : ' --trust KEY.pub'}`,
  ];
}

/** `4 volumes + 1 parity volume, 38 MB`. */
export function volumesText({ volumes, parity, size }: SplitResult): string {
  const more = parity === 0 ? '' : ` + ${countText(parity, 'parity volume')}`;
  return `${countText(volumes, 'volume')}${more}, ${bytesText(size)}`;
}

/** What `deliver repair` says at its end. */
export function viewRepair(result: RepairResult, style: Style, width = WIDTH): string[] {
  const folder = shortPath(result.folder);
  const done = `${style.good(MARK.done)} `;
  const removed = result.removed.flatMap((name) =>
    said('  ', `${whole(name)} was removed: what it brought is in the volumes now.`, width),
  );
  if (result.files.length === 0) {
    const none = removed.length === 0 ? 'nothing was changed' : 'no volume was changed';
    return ['', ...said(done, `${whole(folder)} is whole; ${none}.`, width), ...removed];
  }
  const rebuilt = `${style.bold(whole(folder))} is whole again: ${String(result.leaves)} MiB rebuilt.`;
  return [
    '',
    ...said(done, rebuilt, width),
    ...result.files.map((file) => `    ${file}`),
    ...removed,
    `  Next: deliver verify ${folder}`,
  ];
}

/** What `deliver resend` says at its end. */
export function viewResend(result: ResendResult, style: Style, width = WIDTH): string[] {
  const facts = `${bytesText(result.size)}, ${String(result.leaves)} MiB of ${whole(result.bundle)}`;
  return [
    '',
    ...headed(`${style.good(MARK.done)} `, style.bold(whole(shortPath(result.path))), facts, width),
    ...said('  ', 'Put it beside the volumes; verify, repair and install use it there.', width),
    ...said('  ', 'A repair writes it into the volumes, and removes it.', width),
  ];
}
