import { countText } from '../core/amounts.ts';
import type { ResolveResult } from '../flows/resolve.ts';
import type { Style } from './style.ts';
import { MARK } from './words.ts';

/** The result of a resolve without the lock itself, which is in its file. */
export interface ResolveSummary {
  readonly release: string;
  readonly version: string;
  readonly lockPath: string;
  readonly outcome: 'written' | 'unchanged';
  readonly images: number;
  readonly charts: number;
  readonly files: number;
}

export function resolveSummary({ lock, lockPath, outcome }: ResolveResult): ResolveSummary {
  const { images, charts, files } = lock;
  const { name, version } = lock.metadata;
  return { release: name, version, lockPath, outcome, images: images.length, charts: charts.length, files: files.length };
}

/** What `deliver resolve` says at its end. */
export function viewResolve(result: ResolveSummary, style: Style): string[] {
  const counts = [countText(result.images, 'image'), countText(result.charts, 'chart'), countText(result.files, 'file')].join(
    ', ',
  );
  const done = style.good(MARK.done);
  if (result.outcome === 'unchanged') return ['', `${done} ${result.lockPath} is up to date   ${counts}`];
  return ['', `${done} ${style.bold(result.lockPath)}   ${counts}`, '  Review and commit it: it is what pack ships.'];
}
