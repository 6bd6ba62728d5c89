import { countText } from '../../core/amounts.ts';
import type { AppStatus, NodeStatus, StatusResult } from '../../flows/plan/types.ts';
import type { PolicyRun } from '../../registry/port.ts';
import type { Output } from '../output.ts';
import { truncateMiddle } from '../text.ts';
import { addressLines } from './addresses.ts';
import { rowLines, said } from './lines.ts';
import { MARK } from '../words.ts';

const SHOWN_DOWN = 3;
const MOST_MESSAGE = 45;

type Screen = Pick<Output, 'style' | 'width'>;
type State = 'good' | 'wait' | 'bad';

interface StateRow {
  readonly state: State;
  readonly cells: readonly string[];
}

const APP_STATE: Readonly<Record<AppStatus['state'], State>> = {
  current: 'good',
  'in-progress': 'wait',
  terminating: 'wait',
  failed: 'bad',
  missing: 'bad',
};

/** `deliver status`: how a site is, in one screen. */
export function viewStatus(result: StatusResult, screen: Screen): string[] {
  const { style, width } = screen;
  const { registry } = result;
  const registryName = [registry.host, registry.version === undefined ? '' : `Harbor ${registry.version}`]
    .filter((part) => part !== '')
    .join(' · ');
  return [
    `${style.bold(result.site)}   Kubernetes ${result.clusterProblem === undefined ? result.kubernetes : 'can’t be looked at'}`,
    ...(result.hosts.length === 0 ? [] : ['', 'Hosts']),
    ...marked(
      result.hosts.map((host) => ({ state: host.reachable ? 'good' : 'bad', cells: [host.name, host.address, host.message] })),
      screen,
    ),
    '',
    'Registry',
    ...marked(registryRows(registryName, registry), screen),
    ...clusterLines(result, screen),
    ...(result.nodes.length === 0 ? [] : ['', 'Nodes', ...marked(result.nodes.map(nodeRow), screen)]),
    ...(result.addons.length === 0 ? [] : ['', 'Add-ons', ...marked(result.addons.map(appRow), screen)]),
    ...(result.apps.length === 0 ? [] : ['', 'Apps', ...marked(result.apps.map(appRow), screen)]),
    ...addressLines(result),
    ...(result.lockedBy === undefined ? [] : ['', ...said('', `${result.lockedBy} installs on this site now.`, width)]),
    ...(result.down.length === 0
      ? []
      : [
          '',
          ...said(
            `${style.bad(MARK.failed)} `,
            `${countText(result.down.length, 'thing')} not well: ${downText(result.down)}`,
            width,
          ),
        ]),
  ];
}

/** Days before the end at which an install makes a new certificate. */
const RENEWED_AT = 30;

function registryRows(name: string, { healthy, message, runs = [], certificateDays }: StatusResult['registry']): StateRow[] {
  const days = certificateDays === undefined ? [] : [`certificate: ${String(certificateDays)} days left`];
  const due = certificateDays !== undefined && certificateDays < RENEWED_AT;
  return [
    { state: healthy ? 'good' : 'bad', cells: name === '' ? [message] : [name, message] },
    ...days.map((text): StateRow => ({
      state: due ? 'bad' : 'good',
      cells: [due ? `${text}; deliver install renews it` : text],
    })),
    ...runs.map(runRow),
  ];
}

const RUN_STATE: Readonly<Record<PolicyRun['state'], State>> = {
  done: 'good',
  never: 'wait',
  running: 'wait',
  failed: 'bad',
  missing: 'bad',
};

function runRow({ policy, state, started, figures }: PolicyRun): StateRow {
  const words = { done: 'done', never: 'has not run yet', running: 'running', failed: 'failed', missing: 'not in Harbor' }[state];
  const when = started === undefined ? '' : dayOf(started);
  const many = figures === undefined || figures.total === 0 ? '' : `${String(figures.done)} of ${String(figures.total)}`;
  return { state: RUN_STATE[state], cells: [`${policy.kind} ${policy.name}`, words, many, when] };
}

function clusterLines({ clusterProblem, releases }: StatusResult, screen: Screen): string[] {
  if (clusterProblem !== undefined) return ['', 'Cluster', ...marked([{ state: 'bad', cells: [clusterProblem] }], screen)];
  const rows = releases.map(({ name, version, state, installedAt }) => ({
    lead: '  ',
    cells: [`${name} ${version}`, state, dayOf(installedAt)],
  }));
  return ['', 'Releases', ...(rows.length === 0 ? ['  none installed by deliver'] : rowLines(rows, screen.width))];
}

function nodeRow({ name, ready, version, message, certificateDays }: NodeStatus): StateRow {
  const days = certificateDays === undefined ? '' : `certificates for ${countText(certificateDays, 'day')}`;
  return {
    state: ready ? 'good' : 'bad',
    cells: [name, version, [truncateMiddle(message, MOST_MESSAGE), days].filter((text) => text !== '').join(' · ')],
  };
}

/** Names of the first few: they all stand above. */
function downText(down: readonly string[]): string {
  const shown = down.slice(0, SHOWN_DOWN).join(', ');
  return down.length > SHOWN_DOWN ? `${shown} and ${String(down.length - SHOWN_DOWN)} more` : shown;
}

function appRow(app: AppStatus): StateRow {
  return { state: APP_STATE[app.state], cells: [`${app.namespace}/${app.name}`, app.kind, app.message] };
}

/** Rows with ✔, … or ✖ before them. */
function marked(rows: readonly StateRow[], { style, width }: Screen): string[] {
  const mark: Readonly<Record<State, string>> = {
    good: style.good(MARK.done),
    wait: style.warn(MARK.running),
    bad: style.bad(MARK.failed),
  };
  return rowLines(
    rows.map(({ state, cells }) => ({ lead: `  ${mark[state]} `, cells })),
    width,
  );
}

/** `2026-11-12T14:02:11Z` → `2026-11-12 14:02 UTC` */
function dayOf(time: string): string {
  return time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*Z$/, '$1 $2 UTC');
}
