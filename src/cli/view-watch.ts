import { countText } from '../core/amounts.ts';
import type { WatchResult } from '../flows/watch.ts';
import type { Style } from './style.ts';
import { MARK } from './words.ts';

/** What `deliver watch` says when it was stopped, or has nothing left to do. */
export function viewWatch({ folder, done, quarantined, waiting }: WatchResult, style: Style): string[] {
  return [
    '',
    `${style.good(MARK.done)} ${style.bold(folder)} is no longer watched.   ${countText(done, 'delivery')} done`,
    ...(quarantined === 0
      ? []
      : [`  ${style.warn(MARK.warn)} ${String(quarantined)} in quarantine; the report beside each says why.`]),
    ...waiting.map((line) => `  ${style.warn(MARK.warn)} still there: ${line}`),
  ];
}
