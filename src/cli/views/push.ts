import { bytesText, countText } from '../../core/amounts.ts';
import type { PushResult } from '../../registry/push-content.ts';
import type { Style } from '../style.ts';
import { MARK } from '../words.ts';

/** What `deliver push` says at its end. */
export function viewPush(result: PushResult, to: string, style: Style): string[] {
  const { taggedImages, presentImages, pushedBytes, projectsMade, putReferrers } = result;
  const there = `${style.good(MARK.done)} ${to} has all ${countText(presentImages, 'reference')} already`;
  if (taggedImages === 0 && putReferrers > 0)
    return ['', `${there}; what refers to them came now (${countText(putReferrers, 'manifest')}).`];
  if (taggedImages === 0) return ['', `${there}; nothing was changed.`];
  const made = projectsMade === 0 ? '' : `, ${countText(projectsMade, 'project')} made`;
  return [
    '',
    `${style.good(MARK.done)} ${to} has all ${countText(taggedImages + presentImages, 'reference')}: ${bytesText(pushedBytes)} sent${made}.`,
  ];
}
