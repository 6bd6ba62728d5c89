import { bytesText } from '../../core/amounts.ts';
import type { CertsResult } from '../../flows/certs-renew.ts';
import type { ResetResult } from '../../flows/reset.ts';
import type { Output } from '../output.ts';
import { rowLines, said, whole } from './lines.ts';

/** `deliver certs renew`: days left on each control plane, before and now. */
export function viewCerts({ site, hosts }: CertsResult, { style, width }: Pick<Output, 'style' | 'width'>): string[] {
  const rows = hosts.map(({ name, first, daysBefore, daysLeft }) => ({
    lead: '  ',
    cells: [name, `${String(daysLeft)} days left`, `${String(daysBefore)} before`, `${first} ends first`],
  }));
  return [
    `${style.bold(site)}   certificates of Kubernetes`,
    ...rowLines(rows, width),
    '',
    ...said('', 'Copies of admin.conf elsewhere still hold the old certificate: fetch them anew from a control plane.', width),
  ];
}

/** `deliver reset`: what the host is now, what of its data stays, and how it comes back. */
export function viewReset(
  { host, left, nothing, removed, stays }: ResetResult,
  { style, width }: Pick<Output, 'style' | 'width'>,
): string[] {
  const rows = stays.map(({ path, bytes, flag }) => ({ lead: '  ', cells: [whole(path), bytesText(bytes), flag] }));
  const outcome = nothing
    ? 'has nothing of deliver on it.'
    : `${left ? 'left the cluster, and ' : ''}is as it was before deliver.`;
  return [
    ...said('', `${style.bold(host)} ${outcome}`, width),
    ...(removed.length === 0 ? [] : said('', `Data deleted: ${removed.map(whole).join(', ')}`, width)),
    ...(rows.length === 0 ? [] : ['Data that stays, and the flag that deletes it:', ...rowLines(rows, width)]),
    ...(nothing ? [] : said('', 'The next deliver install sets it up again, unless it is taken out of the site file.', width)),
  ];
}
