import { countText } from '../../core/amounts.ts';
import type { DoctorResult } from '../../flows/doctor.ts';
import type { Check } from '../../flows/plan/types.ts';
import type { Output } from '../output.ts';
import type { Style } from '../style.ts';
import { padEnd, widthOf, wrap } from '../text.ts';
import { rowLines, said } from './lines.ts';
import { MARK } from '../words.ts';

type Screen = Pick<Output, 'style' | 'width'>;

/** `deliver doctor`: one line per host where all is well; what warns or failed is told in full, with its fix. */
export function viewDoctor(result: DoctorResult, screen: Screen): string[] {
  const { site, release, hosts, checks, passed, warned, failed } = result;
  const { style } = screen;
  const head = release === undefined ? site : `${site} for ${release.name} ${release.version}`;
  const nameWidth = Math.max(...[...hosts, 'site'].map(widthOf));
  const bad = checks.filter(({ outcome }) => outcome !== 'pass');
  const total = [
    `${String(passed)} passed`,
    ...(warned > 0 ? [countText(warned, 'warning')] : []),
    ...(failed > 0 ? [`${String(failed)} failed`] : []),
  ];
  return [
    ...said('  ', head, screen.width).map((line) => style.bold(line)),
    '',
    ...[...hosts, undefined].flatMap((host) =>
      group(
        host,
        checks.filter((check) => check.host === host),
        nameWidth,
        screen,
      ),
    ),
    '',
    `  ${total.join(', ')}`,
    ...(failed > 0 ? ['  An install would be refused: mend what failed above.'] : []),
    ...(bad.length === 0 ? ['  Nothing stands in the way.'] : []),
  ];
}

function group(host: string | undefined, checks: readonly Check[], nameWidth: number, screen: Screen): string[] {
  if (checks.length === 0) return [];
  const { style, width } = screen;
  const bad = checks.filter(({ outcome }) => outcome !== 'pass').toSorted((a, b) => a.outcome.localeCompare(b.outcome));
  const counted = `${countText(checks.length, 'check')}, ${bad.length === 0 ? 'all passed' : tally(bad)}`;
  const cells = [padEnd(host ?? 'site', nameWidth), counted];
  return [
    ...rowLines([{ lead: `  ${markOf(worst(checks), style)} `, cells }], width),
    ...bad.flatMap((check) => lines(check, screen)),
  ];
}

function tally(bad: readonly Check[]): string {
  const failed = bad.filter(({ outcome }) => outcome === 'fail').length;
  const warned = bad.length - failed;
  return [...(failed > 0 ? [`${String(failed)} failed`] : []), ...(warned > 0 ? [countText(warned, 'warning')] : [])].join(', ');
}

function lines({ outcome, title, found, fix, details }: Check, { style, width }: Screen): string[] {
  const [first = '', ...rest] = wrap(`${title}: ${found ?? 'failed'}`, width - 8);
  const more =
    outcome === 'fail' && details !== undefined && details.length > 1 ? details.flatMap((line) => wrap(line, width - 10)) : [];
  const advice = fix === undefined ? [] : wrap(`Fix: ${fix}`, width - 8);
  return [
    `      ${markOf(outcome, style)} ${first}`,
    ...rest.map((line) => `        ${line}`),
    ...more.map((line) => `          ${line}`),
    ...advice.map((line) => `        ${line}`),
  ];
}

function worst(checks: readonly Check[]): Check['outcome'] {
  if (checks.some(({ outcome }) => outcome === 'fail')) return 'fail';
  return checks.some(({ outcome }) => outcome === 'warn') ? 'warn' : 'pass';
}

function markOf(outcome: Check['outcome'], style: Style): string {
  if (outcome === 'pass') return style.good(MARK.done);
  return outcome === 'warn' ? style.warn(MARK.warn) : style.bad(MARK.failed);
}
