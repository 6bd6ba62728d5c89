import { bytesText, countText } from '../../core/amounts.ts';
import type { InspectedImage, InspectedReferrer, InspectResult } from '../../flows/inspect.ts';
import type { Output } from '../output.ts';
import { table } from '../table.ts';
import { truncateMiddle } from '../text.ts';
import { viewBase } from './base.ts';
import { headed, said } from './lines.ts';

const SIGNATURE = {
  good: 'signed by',
  wrong: 'WRONG signature by',
  unsupported: 'signature that this version can’t check, by',
} as const;

type Row = readonly [name: string, size: string, note: string];

/** `deliver inspect`: what is in a bundle, biggest first within each kind. Amounts stand in one column. */
export function viewInspect(result: InspectResult, { style, width }: Pick<Output, 'style' | 'width'>): string[] {
  const facts = [bytesText(result.size), countText(result.blobs, 'blob'), result.platforms.join(', ')].join(' · ');
  const signatures = result.signatures.flatMap(({ fingerprint, state }) =>
    said('  ', `${SIGNATURE[state]} ${fingerprint ?? 'an unreadable key'}`, width),
  );
  const bySize = <Item extends { readonly size: number }>(items: readonly Item[]): Item[] =>
    [...items].sort((a, b) => b.size - a.size);
  const components = bySize(
    result.files.flatMap((file) => (file.component === undefined ? [] : [{ ...file, component: file.component }])),
  );
  const plain = result.files.filter(({ component }) => component === undefined);
  return [
    ...headed('', style.bold(`${result.release} ${result.version}`), facts, width),
    `  ${result.root}`,
    ...(result.base === undefined ? [] : viewBase(result.base, style, width)),
    ...(signatures.length === 0 ? [`  ${style.warn('not signed')}`] : signatures),
    ...section('Images', result.images.length, bySize(result.images).flatMap(imageRows), width),
    ...section(
      'Charts',
      result.charts.length,
      bySize(result.charts).map((chart) => [`${chart.name} ${chart.version}`, bytesText(chart.size), '']),
      width,
    ),
    ...section(
      'Components',
      components.length,
      components.map(({ component, size }) => [`${component.name} ${component.version}`, bytesText(size), component.platform]),
      width,
    ),
    ...section(
      'Files',
      plain.length,
      bySize(plain).map((file) => [file.name, bytesText(file.size), '']),
      width,
    ),
  ];
}

/** An image for several platforms names them in a line of its own: its size is that of all of them, and of what refers to it. */
function imageRows({ reference, size, shared, platforms, referrers = [] }: InspectedImage): Row[] {
  const row: Row = [reference, bytesText(size), sharedText(shared)];
  const more: Row[] = platforms.length > 1 ? [[`  for ${platforms.join(', ')}`, '', '']] : [];
  return [row, ...more, ...referrers.flatMap(referrerRows)];
}

const KIND = { attestation: 'attestation', bom: 'bill of materials', signature: 'signature', other: 'refers to it' } as const;

function referrerRows(one: InspectedReferrer): Row[] {
  const row: Row = [`  + ${referrerText(one)}`, bytesText(one.size), ''];
  return one.unread === true ? [row, ['    a document above 4 MiB: listed, not read', '', '']] : [row];
}

function referrerText({ kind, type }: InspectedReferrer): string {
  return `${KIND[kind]}: ${type.replace(/^application\/(?:vnd\.)?/, '')}`;
}

function sharedText(shared: number): string {
  return shared === 0 ? '' : `${bytesText(shared)} shared`;
}

function section(title: string, count: number, rows: readonly Row[], width: number): string[] {
  if (count === 0) return [];
  const room = width - 2 - 10 - 18;
  const cells = rows.map(([name, size, note]) => [truncateMiddle(name, room), size, note]);
  return ['', `${title} (${String(count)})`, ...table(cells, { right: [1], indent: 2 })];
}
