import { bytesText, countText } from '../core/amounts.ts';
import type { InspectResult } from '../flows/inspect.ts';
import type { Output } from './output.ts';
import { table } from './table.ts';
import { truncateMiddle } from './text.ts';
import { viewBase } from './view-base.ts';

const SIGNATURE = {
  good: 'signed by',
  wrong: 'WRONG signature by',
  unsupported: 'signature that this version can’t check, by',
} as const;

/** `deliver inspect`: what is in a bundle, biggest first within each kind. Amounts stand in one column. */
export function viewInspect(result: InspectResult, { style, width }: Pick<Output, 'style' | 'width'>): string[] {
  const facts = [bytesText(result.size), countText(result.blobs, 'blob'), result.platforms.join(', ')].join(' · ');
  const signatures = result.signatures.map(
    ({ fingerprint, state }) => `  ${SIGNATURE[state]} ${fingerprint ?? 'an unreadable key'}`,
  );
  const bySize = <Item extends { readonly size: number }>(items: readonly Item[]): Item[] =>
    [...items].sort((a, b) => b.size - a.size);
  const files = bySize(result.files);
  return [
    style.bold(`${result.release} ${result.version}`) + `   ${facts}`,
    `  ${result.root}`,
    ...(result.base === undefined ? [] : viewBase(result.base, style)),
    ...(signatures.length === 0 ? [`  ${style.warn('not signed')}`] : signatures),
    ...section(
      'Images',
      bySize(result.images).map((image) => [image.reference, bytesText(image.size), sharedText(image.shared)]),
      width,
    ),
    ...section(
      'Charts',
      bySize(result.charts).map((chart) => [`${chart.name} ${chart.version}`, bytesText(chart.size), '']),
      width,
    ),
    ...section(
      'Components',
      files.flatMap(({ component, size }) =>
        component === undefined ? [] : [[`${component.name} ${component.version}`, bytesText(size), component.platform] as const],
      ),
      width,
    ),
    ...section(
      'Files',
      files.flatMap(({ name, size, component }) => (component === undefined ? [[name, bytesText(size), ''] as const] : [])),
      width,
    ),
  ];
}

function sharedText(shared: number): string {
  return shared === 0 ? '' : `${bytesText(shared)} shared`;
}

function section(title: string, rows: readonly (readonly [string, string, string])[], width: number): string[] {
  if (rows.length === 0) return [];
  const room = width - 2 - 10 - 18;
  const cells = rows.map(([name, size, note]) => [truncateMiddle(name, room), size, note]);
  return ['', `${title} (${rows.length})`, ...table(cells, { right: [1], indent: 2 })];
}
