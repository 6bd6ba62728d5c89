import { bytesText, countText } from '../../core/amounts.ts';
import type { CollectResult } from '../../flows/collect.ts';
import type { FetchResult } from '../../flows/fetch.ts';
import type { PoolFetchResult } from '../../flows/fetch-pool.ts';
import type { PublishResult } from '../../flows/publish.ts';
import type { PoolPublishResult } from '../../flows/publish-pool.ts';
import { shortPath } from '../short-path.ts';
import type { Style } from '../style.ts';
import { MARK } from '../words.ts';

/** What `deliver publish` says at its end. */
export function viewPublish({ to, objects, sentBytes }: PublishResult, style: Style): string[] {
  const size = objects.reduce((sum, object) => sum + object.size, 0);
  const facts = `${countText(objects.length, 'object')}, ${bytesText(size)}${sentBytes === 0 ? ', all there already' : ''}`;
  const lines = objects.length === 1 ? objects.map(({ digest }) => `  ${digest}`) : [];
  return ['', `${style.good(MARK.done)} ${style.bold(to)}   ${facts}`, ...lines];
}

/** What `deliver publish --pool` says at its end. */
export function viewPublishPool({ pool, release, root }: PoolPublishResult, style: Style): string[] {
  return [
    '',
    `${style.good(MARK.done)} ${style.bold(release)} is in ${pool}`,
    `  ${root}`,
    `  Next: deliver fetch --pool ${pool}/${release} FOLDER`,
  ];
}

/** What `deliver fetch` says at its end. */
export function viewFetch({ files }: FetchResult, style: Style): string[] {
  return [
    '',
    ...files.map(({ path, size, outcome }) => {
      const said = outcome === 'unchanged' ? ', unchanged' : '';
      return `${style.good(MARK.done)} ${style.bold(shortPath(path))}   ${bytesText(size)}${said}`;
    }),
    '  Next: deliver verify, which also asks who signed it',
  ];
}

/** What `deliver fetch --pool` says at its end. */
export function viewFetchPool({ path, size, root, outcome }: PoolFetchResult, style: Style): string[] {
  const said = outcome === 'unchanged' ? ', unchanged' : '';
  const short = shortPath(path);
  return [
    '',
    `${style.good(MARK.done)} ${style.bold(short)}   ${bytesText(size)}${said}`,
    `  ${root}`,
    `  Next: deliver verify ${short} --trust KEY.pub`,
  ];
}

/** What `deliver gc` says at its end. */
export function viewCollect(
  { dryRun, markedBlobs, markedBytes, deletedBlobs, deletedBytes }: CollectResult,
  style: Style,
): string[] {
  const deleted = `${countText(deletedBlobs, 'blob')}, ${bytesText(deletedBytes)}`;
  const waiting = `${countText(markedBlobs, 'blob')}, ${bytesText(markedBytes)}`;
  return [
    '',
    `${style.good(MARK.done)} ${dryRun ? `${deleted} would be deleted` : `${deleted} deleted`}`,
    ...(markedBlobs === 0
      ? []
      : [`  ${waiting} ${dryRun ? 'would wait' : 'wait'}: needed by no release, but not long enough yet`]),
  ];
}
