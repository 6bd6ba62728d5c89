import { bytesText, countText } from '../../core/amounts.ts';
import type { DiffResult } from '../../flows/diff.ts';
import type { ItemChange } from '../../flows/diff-items.ts';
import type { Output } from '../output.ts';
import { shortPath } from '../short-path.ts';
import { table } from '../table.ts';
import { truncateMiddle } from '../text.ts';
import { said } from './lines.ts';

const SIGN = { added: '+', removed: '-', changed: '~' } as const;
/** Columns of a version at most: a tag like `v3.6.2-20251112-abcdef` is read whole, a digest is not. */
const VERSION = 22;

/** `deliver diff`: what came, went and changed, and what that is to carry. */
export function viewDiff(result: DiffResult, { style, width }: Pick<Output, 'style' | 'width'>): string[] {
  const { from, to, delta, full } = result;
  const same = from.root === to.root;
  const sections = [
    ...section('Images', result.images, width),
    ...section('Charts', result.charts, width),
    ...section('Files', result.files, width),
  ];
  const title =
    from.name === to.name
      ? `${from.name} ${from.version} → ${to.version}`
      : `${from.name} ${from.version} → ${to.name} ${to.version}`;
  const unchanged = style.dim(`${String(result.unchanged)} images, charts and files are unchanged`);
  const notes = [from, to].flatMap((side) => (side.said === undefined ? [] : said('  ', `${side.version}: ${side.said}`, width)));
  const head = [
    ...said('', title, width).map((line) => style.bold(line)),
    ...notes,
    `  ${same ? 'the same release: same root' : unchanged}`,
  ];
  if (same) return head;
  const cost = [
    ['a delta', bytesText(delta.size), `${countText(delta.leftOutBlobs, 'blob')}, ${bytesText(delta.leftOutBytes)} stay out`],
    ['the whole', bytesText(full.size), ''],
  ];
  return [
    ...head,
    ...sections,
    ...(sections.length === 0 ? ['', '  All images, charts and files are the same; the release itself differs.'] : []),
    '',
    'To carry',
    ...table(cost, { right: [1], indent: 2 }),
    `  deliver pack RELEASE --since ${shortPath(from.path)}`,
  ];
}

function section(title: string, changes: readonly ItemChange[], width: number): string[] {
  if (changes.length === 0) return [];
  const versions = changes.map(versionText);
  const widest = Math.max(...versions.map((text) => text.length));
  // Indent, sign, three gaps and an amount beside name and version.
  const room = Math.max(20, width - 2 - 1 - 6 - 7 - widest);
  const rows = changes.map((item, at) => [
    SIGN[item.change],
    truncateMiddle(item.name, room),
    versions[at] ?? '',
    item.change === 'removed' ? '' : bytesText(item.carry),
  ]);
  return ['', `${title} (${String(changes.length)})`, ...table(rows, { right: [3], indent: 2 })];
}

function versionText({ before, after, referrers }: ItemChange): string {
  const [was, is] = [shortVersion(before?.version), shortVersion(after?.version)];
  if (before === undefined || after === undefined) return was + is;
  if (was !== is) return `${was} → ${is}`;
  const what = before.digest === after.digest && referrers !== undefined ? referrersText(referrers) : 'other content';
  return was === '' ? what : `${is}, ${what}`;
}

/** The image is the same; what is about it is not. */
function referrersText({ added, removed }: NonNullable<ItemChange['referrers']>): string {
  return `${[...(added > 0 ? [`+${String(added)}`] : []), ...(removed > 0 ? [`-${String(removed)}`] : [])].join(' ')} referring to it`;
}

function shortVersion(version = ''): string {
  return truncateMiddle(version, VERSION);
}
