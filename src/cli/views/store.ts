import { bytesText, countText } from '../../core/amounts.ts';
import type { CollectResult } from '../../flows/collect.ts';
import type { FetchResult } from '../../flows/fetch.ts';
import type { PoolFetchResult } from '../../flows/fetch-pool.ts';
import type { PublishResult } from '../../flows/publish.ts';
import type { PoolPublishResult } from '../../flows/publish-pool.ts';
import { shortPath } from '../short-path.ts';
import type { Style } from '../style.ts';
import { MARK } from '../words.ts';
import { headed, said, whole, WIDTH } from './lines.ts';

/** What `deliver publish` says at its end. */
export function viewPublish({ to, objects, sentBytes }: PublishResult, style: Style, width = WIDTH): string[] {
  const size = objects.reduce((sum, object) => sum + object.size, 0);
  const facts = `${countText(objects.length, 'object')}, ${bytesText(size)}${sentBytes === 0 ? ', all there already' : ''}`;
  const lines = objects.length === 1 ? objects.map(({ digest }) => `  ${digest}`) : [];
  return ['', ...headed(`${style.good(MARK.done)} `, style.bold(whole(to)), facts, width), ...lines];
}

/** What `deliver publish --pool` says at its end. */
export function viewPublishPool({ pool, release, root }: PoolPublishResult, style: Style, width = WIDTH): string[] {
  return [
    '',
    ...said(`${style.good(MARK.done)} `, `${style.bold(release)} is in ${whole(pool)}`, width),
    `  ${root}`,
    `  Next: deliver fetch --pool ${pool}/${release} FOLDER`,
  ];
}

/** What `deliver fetch` says at its end. */
export function viewFetch({ files }: FetchResult, style: Style, width = WIDTH): string[] {
  return ['', ...files.flatMap((file) => fetched(file, style, width)), '  Next: deliver verify, which also asks who signed it'];
}

function fetched(
  { path, size, outcome }: Pick<PoolFetchResult, 'path' | 'size' | 'outcome'>,
  style: Style,
  width: number,
): string[] {
  const facts = `${bytesText(size)}${outcome === 'unchanged' ? ', unchanged' : ''}`;
  return headed(`${style.good(MARK.done)} `, style.bold(whole(shortPath(path))), facts, width);
}

/** What `deliver fetch --pool` says at its end. */
export function viewFetchPool({ path, size, root, outcome }: PoolFetchResult, style: Style, width = WIDTH): string[] {
  return [
    '',
    ...fetched({ path, size, outcome }, style, width),
    `  ${root}`,
    `  Next: deliver verify ${shortPath(path)} --trust KEY.pub`,
  ];
}

/** What `deliver gc` says at its end. */
export function viewCollect(
  { dryRun, markedBlobs, markedBytes, deletedBlobs, deletedBytes }: CollectResult,
  style: Style,
  width = WIDTH,
): string[] {
  const deleted = `${countText(deletedBlobs, 'blob')}, ${bytesText(deletedBytes)}`;
  const waiting = `${countText(markedBlobs, 'blob')}, ${bytesText(markedBytes)}`;
  return [
    '',
    `${style.good(MARK.done)} ${dryRun ? `${deleted} would be deleted` : `${deleted} deleted`}`,
    ...(markedBlobs === 0
      ? []
      : said('  ', `${waiting} ${dryRun ? 'would wait' : 'wait'}: needed by no release, but not long enough yet`, width)),
  ];
}
