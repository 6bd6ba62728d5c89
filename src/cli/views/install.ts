import type { InstallResult } from '../../flows/plan/types.ts';
import type { Output } from '../output.ts';
import { addressLines } from './addresses.ts';
import { MARK } from '../words.ts';

/** What `deliver install` says at its end. */
export function viewInstall(result: InstallResult, { style }: Pick<Output, 'style'>): string[] {
  const name = `${result.release} ${result.version}`;
  const said =
    result.changed === 0
      ? `${name} was already installed on ${result.site}; nothing was changed.`
      : `${name} is installed on ${result.site}.`;
  return ['', `${style.good(MARK.done)} ${said}`, ...addressLines(result).slice(1)];
}
