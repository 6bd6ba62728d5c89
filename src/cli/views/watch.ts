import { countText } from '../../core/amounts.ts';
import type { WatchResult } from '../../flows/watch.ts';
import type { Output } from '../output.ts';
import { MARK } from '../words.ts';
import { headed, said, whole } from './lines.ts';

/** What `deliver watch` says when it was stopped, or has nothing left to do. */
export function viewWatch(
  { folder, done, quarantined, waiting }: WatchResult,
  { style, width }: Pick<Output, 'style' | 'width'>,
): string[] {
  return [
    '',
    ...headed(
      `${style.good(MARK.done)} `,
      `${style.bold(whole(folder))} is no longer watched.`,
      `${countText(done, 'delivery')} done`,
      width,
    ),
    ...(quarantined === 0
      ? []
      : said(`  ${style.warn(MARK.warn)} `, `${String(quarantined)} in quarantine; the report beside each says why.`, width)),
    ...waiting.flatMap((line) => said(`  ${style.warn(MARK.warn)} `, `still there: ${line}`, width)),
  ];
}
