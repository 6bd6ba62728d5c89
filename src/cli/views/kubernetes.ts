import { bytesText } from '../../core/amounts.ts';
import type { CertsResult } from '../../flows/certs-renew.ts';
import type { ResetResult } from '../../flows/reset.ts';
import type { Output } from '../output.ts';
import { table } from '../table.ts';

/** `deliver certs renew`: days left on each control plane, before and now. */
export function viewCerts({ site, hosts }: CertsResult, { style }: Pick<Output, 'style'>): string[] {
  const rows = hosts.map(({ name, first, daysBefore, daysLeft }) => [
    name,
    `${String(daysLeft)} days left`,
    `${String(daysBefore)} before`,
    `${first} ends first`,
  ]);
  return [
    `${style.bold(site)}   certificates of Kubernetes`,
    ...table(rows, { indent: 2 }),
    '',
    'Copies of admin.conf elsewhere still hold the old certificate: fetch them anew from a control plane.',
  ];
}

/** `deliver reset`: what the host is now, what of its data stays, and how it comes back. */
export function viewReset({ host, left, nothing, removed, stays }: ResetResult, { style }: Pick<Output, 'style'>): string[] {
  const rows = stays.map(({ path, bytes, flag }) => [path, bytesText(bytes), flag]);
  return [
    nothing
      ? `${style.bold(host)} has nothing of deliver on it.`
      : `${style.bold(host)} ${left ? 'left the cluster, and ' : ''}is as it was before deliver.`,
    ...(removed.length === 0 ? [] : [`Data deleted: ${removed.join(', ')}`]),
    ...(rows.length === 0 ? [] : ['Data that stays, and the flag that deletes it:', ...table(rows, { indent: 2 })]),
    ...(nothing ? [] : ['The next deliver install sets it up again, unless it is taken out of the site file.']),
  ];
}
