import { bytesText, countText } from '../../core/amounts.ts';
import type { SupportResult } from '../../flows/support.ts';
import type { Output } from '../output.ts';
import { wrap } from '../text.ts';
import { MARK } from '../words.ts';

/** `deliver support`: where the archive is, what is missing in it, and what to look at before it leaves the site. */
export function viewSupport(result: SupportResult, { style, width }: Pick<Output, 'style' | 'width'>): string[] {
  const { path, size, files, redacted, hosts, clusterProblem } = result;
  const missing = [
    ...hosts.flatMap(({ host, problem }) => (problem === undefined ? [] : [`${host}: ${problem}`])),
    ...(clusterProblem === undefined ? [] : [`cluster: ${clusterProblem}`]),
  ];
  return [
    `  ${style.bold(path)}`,
    `  ${countText(files, 'file')}, ${bytesText(size)}, ${countText(hosts.length, 'host')}; ${countText(redacted, 'value')} replaced by ***`,
    ...missing.flatMap((line) =>
      wrap(line, width - 4).map((text, index) => `  ${index === 0 ? style.warn(MARK.warn) : ' '} ${text}`),
    ),
    '',
    '  Look at REDACTED.txt in it before it leaves the site:',
    `    tar -xzOf ${path} REDACTED.txt`,
  ];
}
