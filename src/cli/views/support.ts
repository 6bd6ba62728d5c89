import { bytesText, countText } from '../../core/amounts.ts';
import type { SupportResult } from '../../flows/support.ts';
import type { Output } from '../output.ts';
import { MARK } from '../words.ts';
import { said } from './lines.ts';

/** `deliver support`: where the archive is, what is missing in it, and what to look at before it leaves the site. */
export function viewSupport(result: SupportResult, { style, width }: Pick<Output, 'style' | 'width'>): string[] {
  const { path, size, files, redacted, hosts, clusterProblem } = result;
  const missing = [
    ...hosts.flatMap(({ host, problem }) => (problem === undefined ? [] : [`${host}: ${problem}`])),
    ...(clusterProblem === undefined ? [] : [`cluster: ${clusterProblem}`]),
  ];
  return [
    `  ${style.bold(path)}`,
    ...said(
      '  ',
      `${countText(files, 'file')}, ${bytesText(size)}, ${countText(hosts.length, 'host')}; ${countText(redacted, 'value')} replaced by ***`,
      width,
    ),
    ...missing.flatMap((line) => said(`  ${style.warn(MARK.warn)} `, line, width)),
    '',
    '  Look at REDACTED.txt in it before it leaves the site:',
    `    tar -xzOf ${path} REDACTED.txt`,
  ];
}
