import { bytesText, countText } from '../../core/amounts.ts';
import type { PushResult } from '../../registry/push-content.ts';
import type { Style } from '../style.ts';
import { MARK } from '../words.ts';
import { said, WIDTH } from './lines.ts';

/** What `deliver push` says at its end. */
export function viewPush(result: PushResult, to: string, style: Style, width = WIDTH): string[] {
  const { taggedImages, presentImages, pushedBytes, projectsMade, putReferrers } = result;
  const done = `${style.good(MARK.done)} `;
  const there = `${to} has all ${countText(presentImages, 'reference')} already`;
  if (taggedImages === 0 && putReferrers > 0)
    return ['', ...said(done, `${there}; what refers to them came now (${countText(putReferrers, 'manifest')}).`, width)];
  if (taggedImages === 0) return ['', ...said(done, `${there}; nothing was changed.`, width)];
  const made = projectsMade === 0 ? '' : `, ${countText(projectsMade, 'project')} made`;
  const sent = `${countText(taggedImages + presentImages, 'reference')}: ${bytesText(pushedBytes)} sent${made}.`;
  return ['', ...said(done, `${to} has all ${sent}`, width)];
}
