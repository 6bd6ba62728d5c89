import { countText } from '../../core/amounts.ts';
import type { KeygenResult } from '../../flows/keygen.ts';
import type { SignResult } from '../../flows/sign.ts';
import type { Style } from '../style.ts';
import { shortPath } from '../short-path.ts';
import { MARK } from '../words.ts';

const SAID = {
  signed: 'is signed',
  unchanged: 'had these signatures already',
  'taken back': 'is as it was before the signing that was interrupted',
} as const;

/** What `deliver sign` says at its end. */
export function viewSign(result: SignResult, style: Style): string[] {
  const said = SAID[result.outcome];
  return [
    '',
    `${style.good(MARK.done)} ${style.bold(`${result.release} ${result.version}`)} ${said}.   ${countText(result.signatures, 'signature')}`,
    `  ${result.root}`,
  ];
}

/** What `deliver keygen` says: where the two halves are, and what to do with each. */
export function viewKeygen(result: KeygenResult, style: Style): string[] {
  return [
    `${style.good(MARK.done)} ${style.bold(shortPath(result.privateKey))}   keep it here: who has it can sign releases`,
    ...(result.encrypted ? [] : [`  ${style.warn(MARK.warn)} It has no passphrase.`]),
    `  ${shortPath(result.publicKey)}   give it to every site, by another way than the bundles`,
    `  ${result.fingerprint}`,
    '  In the site file:',
    `    trust: [ "${result.line}" ]`,
  ];
}
