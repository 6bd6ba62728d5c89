import { bytesText, countText } from '../../core/amounts.ts';
import type { VerifyResult } from '../../flows/verify.ts';
import type { Style } from '../style.ts';
import { viewBase } from './base.ts';
import { MARK } from '../words.ts';
import { headed, said, WIDTH } from './lines.ts';

/** What `deliver verify` says when nothing is wrong. */
export function viewVerify(result: VerifyResult, style: Style, width = WIDTH): string[] {
  const who = result.signers.map(({ name, fingerprint }) => (name === '' ? fingerprint : name)).join(', ');
  const unproved = result.accepted ?? (who === '' ? 'not signed' : undefined);
  const name = `${result.release} ${result.version}`;
  const facts = [bytesText(result.size), countText(result.blobs, 'blob')].join(' · ');
  return [
    '',
    ...headed(
      `${style.good(MARK.done)} `,
      `${style.bold(`${name} is whole`)}${who === '' ? '' : ` and signed by ${who}`}.`,
      facts,
      width,
    ),
    `  ${result.root}`,
    ...(result.base === undefined ? [] : viewBase(result.base, style, width)),
    ...(unproved === undefined
      ? []
      : said(`  ${style.warn(MARK.warn)} `, `Who made it was not proved (${unproved}): --allow-unsigned.`, width)),
  ];
}
