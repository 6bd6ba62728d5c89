import type { CertsResult } from '../flows/certs-renew.ts';
import type { ResetResult } from '../flows/reset.ts';
import type { Output } from './output.ts';
import { table } from './table.ts';

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

/** `deliver reset`: what the host is now, and how it comes back. */
export function viewReset({ host, left }: ResetResult, { style }: Pick<Output, 'style'>): string[] {
  return [
    `${style.bold(host)} ${left ? 'left the cluster; ' : ''}Kubernetes is off it. Programs, images and the container runtime are still there.`,
    `The next deliver install joins it again, unless it is taken out of the site file.`,
  ];
}
