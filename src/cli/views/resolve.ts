import { bytesText } from '../../core/amounts.ts';
import { contentsText } from '../../flows/contents-text.ts';
import type { ResolveResult } from '../../flows/resolve.ts';
import { lockContents, type LockContents } from '../../lock/lock-contents.ts';
import type { Style } from '../style.ts';
import { MARK } from '../words.ts';
import { said, whole, WIDTH } from './lines.ts';

/** The result of a resolve without the lock itself, which is in its file. */
export interface ResolveSummary {
  readonly release: string;
  readonly version: string;
  readonly lockPath: string;
  readonly outcome: 'written' | 'unchanged';
  readonly contents: LockContents;
}

export function resolveSummary({ lock, lockPath, outcome }: ResolveResult): ResolveSummary {
  const { name, version } = lock.metadata;
  return { release: name, version, lockPath, outcome, contents: lockContents(lock) };
}

/** What `deliver resolve` says at its end. */
export function viewResolve(result: ResolveSummary, style: Style, width = WIDTH): string[] {
  const { contents, lockPath, outcome } = result;
  const done = `${style.good(MARK.done)} `;
  const bytes = [contents.images, contents.charts, contents.components, contents.addons, contents.files].reduce(
    (sum, amount) => sum + amount.bytes,
    0,
  );
  const carried = said('  ', `${bytesText(bytes)} to carry: ${contentsText(contents)}`, width);
  if (outcome === 'unchanged') return ['', ...said(done, `${whole(lockPath)} is up to date`, width), ...carried];
  return ['', `${done}${style.bold(lockPath)}`, ...carried, '  Review and commit it: it is what pack ships.'];
}
