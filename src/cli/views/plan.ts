import { bytesText, countText } from '../../core/amounts.ts';
import type { Check, PlanResult } from '../../flows/plan/types.ts';
import type { Output } from '../output.ts';
import type { Style } from '../style.ts';
import { padEnd, wrap } from '../text.ts';
import { builds, buildSteps, hostStep, partSteps, sentText, stops, withMirrors, type PlanStep } from './plan-build.ts';
import { harborTexts } from './plan-harbor.ts';
import { imagesStep } from './plan-images.ts';
import { hanging } from './plan-items.ts';
import { objectLines } from './plan-objects.ts';
import { MARK } from '../words.ts';

/** Columns of the titles: those of a site that has its hosts and its cluster, and those of steps with numbers. */
const LABEL = 'Preflight   '.length;
const NUMBERED_LABEL = '2 Registry host  '.length;
/** Columns for what is said beside them, on the narrowest screen. */
const NARROWEST = 24;

export interface PlanCommand {
  readonly bundle: string;
  readonly site: string;
  /** Every file and program in a line of its own. */
  readonly verbose?: boolean;
}

/** `deliver plan`: what an install would do, one part per line of the design, then the command that does it. */
export function viewPlan(plan: PlanResult, command: PlanCommand, { style, width }: Pick<Output, 'style' | 'width'>): string[] {
  const numbered = builds(plan);
  const label = numbered ? NUMBERED_LABEL : LABEL;
  const room = Math.max(NARROWEST, width - 2 - label);
  const verbose = command.verbose === true;
  const part = (title: string, lines: readonly string[]): string[] =>
    lines.map((line, index) => `  ${padEnd(index === 0 ? title : '', label)}${line}`);
  const push: PlanStep =
    plan.images === undefined
      ? { title: 'Registry', lines: registryTexts(plan.registry, room), open: isPushed(plan.registry) }
      : imagesStep(plan.images, room);
  const cluster: PlanStep[] =
    plan.cluster === 'there'
      ? [{ title: 'Cluster', lines: objectLines(plan.objects, style, room, verbose), open: isTouched(plan) }]
      : partSteps(plan.parts, room);
  const steps = numbered
    ? withNumbers([...buildSteps(plan, push, room), ...cluster])
    : [...inOrder(plan, push, hostStep('Hosts', withMirrors(plan), room)), ...cluster];
  const sent = numbered ? sentText(plan) : undefined;
  return [
    ...headLines(plan, width - 2).map((line) => `  ${style.bold(line)}`),
    '',
    ...part('Preflight', [preflightText(plan.checks)]),
    ...checksLines(plan.checks, style, width),
    ...steps.flatMap(({ title, lines, details = [] }) => [
      ...part(title, lines),
      ...(verbose ? details.map((line) => `    ${line}`) : []),
    ]),
    ...(numbered && !plan.unchanged && plan.settled.length > 0 ? part('Unchanged', hanging(plan.settled.join(', '), room)) : []),
    ...(sent === undefined ? [] : part('To send', hanging(sent, room))),
    ...part(
      'Left over',
      plan.leftOver.flatMap((name) => hanging(`${name} is not in this release; it stays`, room)),
    ),
    ...part('Addresses', plan.urls),
    '',
    ...closing(plan, command),
  ];
}

/** Nodes pull through mirrors; without a registry these come first. */
function inOrder({ images }: PlanResult, push: PlanStep, mirrors: PlanStep): PlanStep[] {
  return images === undefined ? [push, mirrors] : [mirrors, push];
}

/** Steps in which something is done are counted; the others stand where they come. */
function withNumbers(steps: readonly PlanStep[]): PlanStep[] {
  let number = 0;
  return steps.map((step) => ({ ...step, title: step.open ? `${String(++number)} ${step.title}` : `  ${step.title}` }));
}

function headLines(plan: PlanResult, width: number): string[] {
  const { release, version, from, site, hosts, registry, kubernetes, build, cluster } = plan;
  const versions = from === undefined || from === version ? version : `${from} → ${version}`;
  const { from: old, to } = build.kubernetes ?? {};
  const runs = old !== undefined && to !== undefined && old !== to ? `${old} → ${to}` : kubernetes;
  const parts = [
    `${release} ${versions} on ${site}`,
    countText(hosts, 'host'),
    `${registry.host}${registry.state === 'there' ? '' : ' (to be made)'}`,
    `Kubernetes ${runs}${cluster === 'there' ? '' : ' (to be made)'}`,
  ];
  // No line begins with the mark between two, and none ends inside of what is said between marks.
  const kept = parts.map((part, index) => (index === 0 ? part : part.replaceAll(' ', '\u00A0')));
  return wrap(kept.join('\u00A0· '), width).map((line) => line.replaceAll('\u00A0', ' '));
}

function closing(plan: PlanResult, { bundle, site, verbose }: PlanCommand): string[] {
  const refused = plan.checks.some(({ outcome }) => outcome === 'fail');
  if (refused) return ['  An install would be refused: mend what failed above, then plan again.'];
  if (stops(plan)) return ['  An install would stop at these hosts: mend what is said about them above, then plan again.'];
  if (plan.unchanged) return ['  Nothing to do: the site is as this release wants it.'];
  const counted = plan.build.changes > 0 || plan.nodes.some(({ files }) => files.length > 0);
  return [
    ...(counted && verbose !== true ? [`  Each: deliver plan ${bundle} --site ${site} --verbose`] : []),
    `  Go:   deliver install ${bundle} --site ${site}`,
  ];
}

function preflightText(checks: readonly Check[]): string {
  const count = (outcome: Check['outcome']): number => checks.filter((check) => check.outcome === outcome).length;
  const parts = [`${count('pass')} passed`];
  if (count('warn') > 0) parts.push(countText(count('warn'), 'warning'));
  if (count('fail') > 0) parts.push(`${count('fail')} failed`);
  return parts.join(', ');
}

/** What did not pass, each once for all the hosts that say the same. */
function checksLines(checks: readonly Check[], style: Style, width: number): string[] {
  const groups = Map.groupBy(
    checks.filter(({ outcome }) => outcome !== 'pass'),
    ({ outcome, title, found, fix }) => JSON.stringify([outcome, title, found, fix]),
  );
  return [...groups.values()].flatMap((same) => {
    const [first] = same;
    const hosts = same.flatMap(({ host }) => host ?? []).join(', ');
    return first === undefined ? [] : checkLines(first, hosts, style, width);
  });
}

/** `! w2: clock is 41 s ahead of cp1.` and its fix. */
function checkLines({ outcome, title, found, fix }: Check, hosts: string, style: Style, width: number): string[] {
  const mark = outcome === 'fail' ? style.bad(MARK.failed) : style.warn(MARK.warn);
  const [first = '', ...rest] = wrap(
    [...(hosts === '' ? [] : [hosts]), title, ...(found === undefined ? [] : [found])].join(': '),
    width - 6,
  );
  const advice = fix === undefined ? [] : wrap(`Fix: ${fix}`, width - 6);
  return [`    ${mark} ${first}`, ...[...rest, ...advice].map((line) => `      ${line}`)];
}

function isPushed({ imagesToPush, projectsToMake, setUp = [] }: PlanResult['registry']): boolean {
  return imagesToPush + projectsToMake.length + setUp.length > 0;
}

function isTouched({ objects }: PlanResult): boolean {
  return objects.some(({ action }) => action !== 'same');
}

function registryTexts(registry: PlanResult['registry'], width: number): string[] {
  const { images, imagesToPush, bytesToPush, projectsToMake, state } = registry;
  const present = images - imagesToPush;
  const there = state === 'there' ? `; ${String(present)} ${present === 1 ? 'is' : 'are'} already there` : '';
  const push =
    imagesToPush === 0
      ? `nothing to push${there}`
      : `push ${countText(imagesToPush, 'image')}, ${bytesText(bytesToPush)}${state === 'there' ? there : ', into the new registry'}`;
  const projects = `make ${projectsToMake.length === 1 ? 'project' : 'projects'} ${projectsToMake.join(', ')}`;
  const texts = [push, ...(projectsToMake.length === 0 ? [] : [projects]), ...harborTexts(registry)];
  return texts.flatMap((text) => hanging(text, width));
}
