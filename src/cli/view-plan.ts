import { bytesText, countText } from '../core/amounts.ts';
import type { Check, PlanResult } from '../flows/plan-types.ts';
import type { Output } from './output.ts';
import type { Style } from './style.ts';
import { padEnd, wrap } from './text.ts';
import { objectLines } from './view-plan-objects.ts';
import { MARK } from './words.ts';

const LABEL = 'Preflight   '.length;

export interface PlanCommand {
  readonly bundle: string;
  readonly site: string;
}

/** `deliver plan`: what an install would do, one part per line of the design, then the command that does it. */
export function viewPlan(
  plan: PlanResult,
  { bundle, site }: PlanCommand,
  { style, width }: Pick<Output, 'style' | 'width'>,
): string[] {
  const versions = plan.from === undefined || plan.from === plan.version ? plan.version : `${plan.from} → ${plan.version}`;
  const head = [
    `${plan.release} ${versions} on ${plan.site}`,
    countText(plan.hosts, 'host'),
    plan.registry.host,
    `Kubernetes ${plan.kubernetes}`,
  ];
  const refused = plan.checks.some(({ outcome }) => outcome === 'fail');
  return [
    ...wrap(head.join(' · '), width - 2).map((line) => `  ${style.bold(line)}`),
    '',
    ...part('Preflight', [preflightText(plan.checks)]),
    ...plan.checks.filter(({ outcome }) => outcome !== 'pass').flatMap((check) => checkLines(check, style, width)),
    ...part('Registry', registryTexts(plan.registry)),
    ...part('Site', buildTexts(plan, width - 2 - LABEL)),
    ...part('Hosts', hostTexts(plan)),
    ...part('Cluster', objectLines(plan.objects, style, width - 2 - LABEL)),
    ...part(
      'Left over',
      plan.leftOver.map((name) => `${name} is not in this release; it stays`),
    ),
    ...(plan.urls.length === 0 ? [] : part('Addresses', plan.urls)),
    '',
    ...closing(plan, refused, { bundle, site }),
  ];
}

function closing(plan: PlanResult, refused: boolean, { bundle, site }: PlanCommand): string[] {
  if (refused) return ['  An install would be refused: mend what failed above, then plan again.'];
  if (plan.unchanged) return ['  Nothing to do: the site is as this release wants it.'];
  return [`  Go:   deliver install ${bundle} --site ${site}`];
}

/** `Registry    first line`, the others below it. */
function part(title: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `  ${padEnd(index === 0 ? title : '', LABEL)}${line}`);
}

function preflightText(checks: readonly Check[]): string {
  const count = (outcome: Check['outcome']): number => checks.filter((check) => check.outcome === outcome).length;
  const parts = [`${count('pass')} passed`];
  if (count('warn') > 0) parts.push(countText(count('warn'), 'warning'));
  if (count('fail') > 0) parts.push(`${count('fail')} failed`);
  return parts.join(', ');
}

/** `! w2: clock is 41 s ahead of cp1.` and its fix. */
function checkLines({ outcome, host, title, found, fix }: Check, style: Style, width: number): string[] {
  const mark = outcome === 'fail' ? style.bad(MARK.failed) : style.warn(MARK.warn);
  const [first = '', ...rest] = wrap([host, title, found].filter((text) => text !== undefined).join(': '), width - 6);
  const advice = fix === undefined ? [] : wrap(`Fix: ${fix}`, width - 6);
  return [`    ${mark} ${first}`, ...[...rest, ...advice].map((line) => `      ${line}`)];
}

function registryTexts({ images, imagesToPush, bytesToPush, projectsToMake }: PlanResult['registry']): string[] {
  const present = images - imagesToPush;
  const there = `${present} ${present === 1 ? 'is' : 'are'} already there`;
  const push =
    imagesToPush === 0
      ? `nothing to push; ${there}`
      : `push ${countText(imagesToPush, 'image')}, ${bytesText(bytesToPush)}; ${there}`;
  return [
    push,
    ...(projectsToMake.length === 0
      ? []
      : [`make ${projectsToMake.length === 1 ? 'project' : 'projects'} ${projectsToMake.join(', ')}`]),
  ];
}

/** What stands below the API: a line per host, broken where it is too long. */
function buildTexts({ build }: PlanResult, width: number): string[] {
  return build.lines.flatMap((line) => wrap(line, width).map((text, index) => (index === 0 ? text : `  ${text}`)));
}

function hostTexts({ nodes }: PlanResult): string[] {
  const changed = nodes.filter(({ files }) => files.length > 0);
  if (changed.length === 0) return ['no change'];
  return changed.flatMap(({ host, files }) =>
    files.map(
      (file, index) => `${index === 0 ? host : ' '.repeat(host.length)}  write ${file.replace(/^\/etc\/containerd\//, '…/')}`,
    ),
  );
}
