import { bytesText } from '../core/amounts.ts';
import type { PackResult } from '../flows/pack.ts';
import { shortPath } from './short-path.ts';
import type { Style } from './style.ts';
import { MARK } from './words.ts';

/** What `deliver pack` says at its end: the file, its root, who signed, what comes next. */
export function viewPack(result: PackResult, style: Style): string[] {
  const said = result.outcome === 'unchanged' ? ', unchanged' : '';
  const signed =
    result.signer === undefined
      ? result.signatures === 0
        ? style.warn('not signed: a site refuses it unless told --allow-unsigned')
        : 'signed earlier'
      : `signed by ${result.signer.name} (${result.signer.fingerprint})`;
  const path = shortPath(result.path);
  return [
    '',
    `${style.good(MARK.done)} ${style.bold(path)}   ${bytesText(result.size)}${said}`,
    `  ${result.root}`,
    `  ${signed}`,
    `  Next: deliver verify ${path}${result.signer === undefined ? ' --allow-unsigned' : ' --trust KEY.pub'}`,
  ];
}
