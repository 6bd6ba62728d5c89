import type { InstallResult } from '../../flows/plan/types.ts';
import type { Output } from '../output.ts';
import { addressLines } from './addresses.ts';
import { said } from './lines.ts';
import { MARK } from '../words.ts';

/** What `deliver install` says at its end. */
export function viewInstall(result: InstallResult, { style, width }: Pick<Output, 'style' | 'width'>): string[] {
  const name = `${result.release} ${result.version}`;
  const outcome =
    result.changed === 0
      ? `${name} was already installed on ${result.site}; nothing was changed.`
      : `${name} is installed on ${result.site}.`;
  return ['', ...said(`${style.good(MARK.done)} `, outcome, width), ...addressLines(result).slice(1)];
}
