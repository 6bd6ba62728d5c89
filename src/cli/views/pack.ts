import { bytesText } from '../../core/amounts.ts';
import type { PackResult } from '../../flows/pack.ts';
import { shortPath } from '../short-path.ts';
import type { Style } from '../style.ts';
import { viewBase } from './base.ts';
import { volumesText } from './carry.ts';
import { headed, said, whole, WIDTH } from './lines.ts';
import { MARK } from '../words.ts';

/** What `deliver pack` says at its end: the file, its root, who signed, what comes next. */
export function viewPack(result: PackResult, style: Style, width = WIDTH): string[] {
  const unchanged = result.outcome === 'unchanged' ? ', unchanged' : '';
  const signed =
    result.signers.length === 0
      ? result.signatures === 0
        ? style.warn('not signed: a site refuses it unless told --allow-unsigned')
        : 'signed earlier'
      : `signed by ${result.signers.map(({ name, fingerprint }) => `${name} (${fingerprint})`).join(', ')}`;
  const path = shortPath(result.path);
  const { nearBytes, nearFrom } = result.fetched;
  const near = nearBytes === 0 ? [] : said('  ', `${bytesText(nearBytes)} taken from ${whole(nearFrom)}`, width);
  return [
    '',
    ...headed(`${style.good(MARK.done)} `, style.bold(whole(path)), `${bytesText(result.size)}${unchanged}`, width),
    `  ${result.root}`,
    ...said('  ', signed, width),
    ...(result.carry === undefined ? [] : [`  ${volumesText(result.carry)}`, `  carry ${result.carry.id}`]),
    ...(result.base === undefined ? [] : viewBase(result.base, style, width)),
    ...near,
    path.startsWith('s3://')
      ? `  Next: deliver fetch ${path} FOLDER`
      : `  Next: deliver verify ${path}${result.signers.length === 0 ? ' --allow-unsigned' : ' --trust KEY.pub'}`,
  ];
}
