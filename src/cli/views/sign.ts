import { countText } from '../../core/amounts.ts';
import type { KeygenResult } from '../../flows/keygen.ts';
import type { SignResult } from '../../flows/sign.ts';
import type { Style } from '../style.ts';
import { shortPath } from '../short-path.ts';
import { MARK } from '../words.ts';
import { headed, whole, WIDTH } from './lines.ts';

const SAID = {
  signed: 'is signed',
  unchanged: 'had these signatures already',
  'taken back': 'is as it was before the signing that was interrupted',
} as const;

/** What `deliver sign` says at its end. */
export function viewSign(result: SignResult, style: Style, width = WIDTH): string[] {
  const said = SAID[result.outcome];
  return [
    '',
    ...headed(
      `${style.good(MARK.done)} `,
      `${style.bold(`${result.release} ${result.version}`)} ${said}.`,
      countText(result.signatures, 'signature'),
      width,
    ),
    `  ${result.root}`,
  ];
}

/** What `deliver keygen` says: where the two halves are, and what to do with each. */
export function viewKeygen(result: KeygenResult, style: Style, width = WIDTH): string[] {
  return [
    ...headed(
      `${style.good(MARK.done)} `,
      style.bold(whole(shortPath(result.privateKey))),
      'keep it here: who has it can sign releases',
      width,
    ),
    ...(result.encrypted ? [] : [`  ${style.warn(MARK.warn)} It has no passphrase.`]),
    ...headed('  ', whole(shortPath(result.publicKey)), 'give it to every site, by another way than the bundles', width),
    `  ${result.fingerprint}`,
    '  In the site file:',
    `    trust: [ "${result.line}" ]`,
  ];
}
