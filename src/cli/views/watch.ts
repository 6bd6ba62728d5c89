import { countText } from '../../core/amounts.ts';
import type { WatchResult } from '../../flows/watch.ts';
import type { Output } from '../output.ts';
import { wrap } from '../text.ts';
import { MARK } from '../words.ts';

/** What `deliver watch` says when it was stopped, or has nothing left to do. */
export function viewWatch(
  { folder, done, quarantined, waiting }: WatchResult,
  { style, width }: Pick<Output, 'style' | 'width'>,
): string[] {
  return [
    '',
    `${style.good(MARK.done)} ${style.bold(folder)} is no longer watched.   ${countText(done, 'delivery')} done`,
    ...(quarantined === 0
      ? []
      : [`  ${style.warn(MARK.warn)} ${String(quarantined)} in quarantine; the report beside each says why.`]),
    ...waiting.flatMap((line) => {
      const [first = '', ...rest] = wrap(`still there: ${line}`, width - 4);
      return [`  ${style.warn(MARK.warn)} ${first}`, ...rest.map((part) => `    ${part}`)];
    }),
  ];
}
